import { processRegistry } from '@convotel/conventions';
import { conversationsOf, RecordingProvider, stepsOf } from './testing/recording.ts';
import type { ConversationRecord, StepRecord } from './testing/recording.ts';

export type { ConversationRecord, StepRecord } from './testing/recording.ts';

/** What the program under test did since {@link recordConversations} or the last `reset()`. */
export interface ConversationRecorder {
  /** Conversations in order of start, with their steps inside; made anew whenever it is read. */
  readonly conversations: ConversationRecord[];
  /** All steps of all conversations, in order of start. */
  readonly steps: StepRecord[];
  /** Warnings for the program's author, such as that a step ran outside of any conversation. Nothing is printed. */
  readonly warnings: string[];
  /** Forgets what was recorded, warnings included: before each test. */
  reset(): void;
  /** Stops recording, and leaves everything as it was: after all tests. */
  stop(): void;
}

/** Settings of {@link recordConversations}. */
export interface RecordConversationsOptions {
  /** Whether `input` and `output` are recorded. @defaultValue `true` */
  captureContent?: boolean | undefined;
}

/**
 * Records conversations in memory instead of sending them anywhere, whatever provider the program has registered.
 * For tests of one's own code, with any test runner, and under fake timers: durations are then those of the fake clock.
 */
export function recordConversations({ captureContent = true }: RecordConversationsOptions = {}): ConversationRecorder {
  const registry = processRegistry();
  const { settings, warned } = registry;
  const before = { recorder: registry.recorder, warn: settings.warn, captureContent: settings.captureContent };
  const provider = new RecordingProvider();
  const warnings: string[] = [];
  registry.recorder = provider;
  settings.warn = (message) => void warnings.push(message);
  settings.captureContent = captureContent;
  warned.clear();
  return {
    get conversations() {
      return conversationsOf(provider.spans);
    },
    get steps() {
      return stepsOf(conversationsOf(provider.spans));
    },
    warnings,
    reset() {
      provider.spans = [];
      warnings.length = 0;
      warned.clear();
    },
    stop() {
      // Recorders may have been stacked; the one that was started last is the one that counts.
      if (registry.recorder !== provider) return;
      registry.recorder = before.recorder;
      settings.warn = before.warn;
      settings.captureContent = before.captureContent;
    },
  };
}
