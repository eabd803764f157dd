import type { ConversationOutcome } from './conversation.ts';

/** Chooses conversations, which then count whole; several must all hold. */
export interface ConversationFilters {
  /** Conversations with at least one span of this `service.name`. */
  service?: string;
  /** Conversations whose root carries this `gen_ai.workflow.name`. */
  workflow?: string;
  /** Conversations with a root or step of this `session.id`. */
  session?: string;
  outcome?: ConversationOutcome;
}
