import { processRegistry } from '@convotel/conventions';
import { conversationsOf, RecordingProvider, stepsOf } from './testing/recording.ts';
import type { ConversationRecord, StepRecord } from './testing/recording.ts';

export type { ConversationRecord, StepRecord } from './testing/recording.ts';

/** What the program under test did since {@link recordConversations} or the last `reset()`. */
export interface ConversationRecorder {
  /** Conversations in order of start, each with its steps. Every read returns a new snapshot. */
  readonly conversations: ConversationRecord[];
  /** All steps of all conversations, in order of start. */
  readonly steps: StepRecord[];
  /**
   * Warnings, such as that a step ran outside of any conversation. They are collected here instead of being printed.
   */
  readonly warnings: string[];
  /** Discards what was recorded, including warnings. Call it before each test. */
  reset(): void;
  /** Stops recording and restores the previous settings. Call it after all tests. */
  stop(): void;
}

/** Options of {@link recordConversations}. */
export interface RecordConversationsOptions {
  /** Whether `input` and `output` are recorded. @defaultValue `true` */
  captureContent?: boolean | undefined;
}

/**
 * Records conversations in memory instead of exporting them, whatever provider the program has registered.
 * For tests of your own code, with any test runner. Under fake timers, durations are those of the fake clock.
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
      // Recorders may be nested; only the one started last may restore the settings.
      if (registry.recorder !== provider) return;
      registry.recorder = before.recorder;
      settings.warn = before.warn;
      settings.captureContent = before.captureContent;
    },
  };
}
