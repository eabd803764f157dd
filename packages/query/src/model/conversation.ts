import type { Outcome } from '@convotel/conventions';

/** The root's outcome, or `open` while no root has arrived. */
export type ConversationOutcome = Outcome | 'open';

/** One conversation in numbers, computed over all of its steps. */
export interface Conversation {
  /**
   * The id the program gave: the root's, else the steps', else that of any span; the first by code point where they
   * contradict each other. The trace id where no span carries one.
   */
  conversationId: string;
  traceId: string;
  /** Earliest start and latest end of its steps; the root's own times where there is no step. */
  startTimeUnixNano: bigint;
  endTimeUnixNano: bigint;
  /** Where there are several roots, of the one that ends last, then of the one last by span id. */
  outcome: ConversationOutcome;
  /** All step spans, attempts and nested ones included. */
  stepCount: number;
  /** Sum of its outermost steps' durations. */
  totalNano: bigint;
  /** Sum of its completed outermost steps' durations. */
  completedNano: bigint;
  /** {@link Conversation.completedNano} by step name. */
  completedNanoByStep: Record<string, bigint>;
}
