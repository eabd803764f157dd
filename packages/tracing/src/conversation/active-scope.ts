import { createContextKey } from '@opentelemetry/api';
import type { Context } from '@opentelemetry/api';
import type { StepSpan } from '../step/step-span.ts';
import type { TracedConversation } from './traced-conversation.ts';

/** Where in a conversation the program is: which conversation, and inside which step, if any. */
export interface ActiveScope {
  conversation: TracedConversation;
  step: StepSpan | undefined;
}

const KEY = createContextKey('convotel active scope');

/** The scope that `context` carries. */
export function findScope(context: Context): ActiveScope | undefined {
  return context.getValue(KEY) as ActiveScope | undefined;
}

/** `context` with `scope` in it. */
export function withScope(context: Context, scope: ActiveScope): Context {
  return new ScopedContext(context, scope);
}

/** A context with a scope on top: OpenTelemetry's own copies all values for each that is set, which costs more. */
class ScopedContext implements Context {
  readonly #below: Context;
  readonly #scope: ActiveScope;

  constructor(below: Context, scope: ActiveScope) {
    this.#below = below;
    this.#scope = scope;
  }

  getValue(key: symbol): unknown {
    return key === KEY ? this.#scope : this.#below.getValue(key);
  }

  setValue(key: symbol, value: unknown): Context {
    return key === KEY
      ? this.#below.setValue(key, value)
      : new ScopedContext(this.#below.setValue(key, value), this.#scope);
  }

  deleteValue(key: symbol): Context {
    return key === KEY ? this.#below.deleteValue(key) : new ScopedContext(this.#below.deleteValue(key), this.#scope);
  }
}
