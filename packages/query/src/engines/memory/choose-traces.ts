import type { ConversationFilters } from '../../model/filters.ts';
import { isConversation } from './trace.ts';
import type { ConversationTrace, Trace } from './trace.ts';

/** The traces that `filters` choose: all, also those that are no conversation, where there is no filter. */
export function chooseTraces(traces: readonly Trace[], filters: ConversationFilters = {}): readonly Trace[] {
  const isFiltered = Object.values(filters).some((filter) => filter !== undefined);
  return isFiltered ? traces.filter((trace) => isConversation(trace) && matches(trace, filters)) : traces;
}

function matches({ spans, conversation }: ConversationTrace, filters: ConversationFilters): boolean {
  const { service, workflow, session, outcome } = filters;
  return (
    (outcome === undefined || conversation.outcome === outcome) &&
    (service === undefined || spans.some((span) => span.serviceName === service)) &&
    (workflow === undefined || spans.some((span) => span.role === 'root' && span.workflow === workflow)) &&
    (session === undefined || spans.some((span) => span.role !== 'other' && span.sessionId === session))
  );
}
