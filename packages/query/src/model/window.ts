import type { ConversationOutcome } from './conversation.ts';

/** A stretch of time `[since, until)` in Unix nanoseconds. A step belongs by its start, a conversation by its start. */
export interface Window {
  sinceUnixNano: bigint;
  untilUnixNano: bigint;
}

/** Whether `unixNano` lies in `window`; everything does where there is no window. */
export function isInWindow(unixNano: bigint, window: Window | undefined): boolean {
  return window === undefined || (unixNano >= window.sinceUnixNano && unixNano < window.untilUnixNano);
}

/** The first instant that a store can hold, in Unix nanoseconds. */
export const EARLIEST_UNIX_NANO = 0n;

/** The last instant that a store can hold, in Unix nanoseconds: 2^63 − 1, in the year 2262. */
export const LATEST_UNIX_NANO = 2n ** 63n - 1n;

/** Chooses conversations, which then count whole; several must all hold. */
export interface ConversationFilters {
  /** Conversations with at least one span of this `service.name`. */
  service?: string;
  /** Conversations with at least one span of this `gen_ai.workflow.name`. */
  workflow?: string;
  /** Conversations with at least one span of this `session.id`. */
  session?: string;
  outcome?: ConversationOutcome;
}
