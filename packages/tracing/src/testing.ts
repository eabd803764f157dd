import { AsyncLocalStorage } from 'node:async_hooks';
import { context, createContextKey, ROOT_CONTEXT } from '@opentelemetry/api';
import type { Context, ContextManager } from '@opentelemetry/api';
import { processRegistry } from '@convotel/conventions';
import { RecordingProvider } from './testing/recording-provider.ts';
import { conversationsOf, stepsOf } from './testing/records.ts';
import type { ConversationRecord, StepRecord } from './testing/records.ts';

export type { ConversationRecord, StepRecord } from './testing/records.ts';

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
  const stopContexts = provideContexts();
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
      stopContexts();
    },
  };
}

/** Registers a context manager where the program has none, so that the free `step()` finds its conversation. */
function provideContexts(): () => void {
  const key = createContextKey('convotel recorder probe');
  const hasManager = context.with(ROOT_CONTEXT.setValue(key, true), () => context.active().getValue(key) === true);
  if (hasManager || !context.setGlobalContextManager(new LocalContexts())) return () => {};
  return () => context.disable();
}

class LocalContexts implements ContextManager {
  readonly #storage = new AsyncLocalStorage<Context>();

  active(): Context {
    return this.#storage.getStore() ?? ROOT_CONTEXT;
  }

  with: ContextManager['with'] = (active, run, thisArgument, ...given) =>
    this.#storage.run(active, () => run.apply(thisArgument as ThisParameterType<typeof run>, given));

  bind: ContextManager['bind'] = (active, target) => {
    if (typeof target !== 'function') return target;
    const run = target as unknown as (...given: unknown[]) => unknown;
    return ((...given: unknown[]) => this.#storage.run(active, () => run(...given))) as unknown as typeof target;
  };

  enable(): this {
    return this;
  }

  disable(): this {
    this.#storage.disable();
    return this;
  }
}
