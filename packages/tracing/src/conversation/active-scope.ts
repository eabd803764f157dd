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
  return context.setValue(KEY, scope);
}
