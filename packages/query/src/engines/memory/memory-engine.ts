import { reuseWarnings } from '../../model/coverage.ts';
import type { Answer, Coverage } from '../../model/coverage.ts';
import type { Engine, StepDurationsQuestion } from '../../questions.ts';
import { gatherCommonErrors } from './common-errors.ts';
import { countConversations, findConversation, listConversations } from './conversations.ts';
import { gatherStepDurations, gatherStepStatistics } from './steps.ts';
import { chooseTraces, coverTraces, groupIntoTraces, isConversation } from './traces.ts';
import type { ConversationTrace, Trace } from './traces.ts';

/** The questions in plain TypeScript over traces in memory: the reference that other engines are tested against. */
export const memoryEngine: Engine<readonly Trace[]> = {
  conversation: (traces, { conversationId }) => {
    const data = findConversation(traces, conversationId);
    const found = data.spans.length === 0 ? [] : groupIntoTraces(data.spans).filter(isConversation);
    return { data, coverage: withReuse(coverTraces(found, undefined), found) };
  },
  conversations: (traces, asked) => {
    const chosen = chooseTraces(traces, asked.filters);
    const listed = listConversations(chosen, asked);
    const coverage = asked.order === 'newest' ? coverTraces(listed, undefined) : coverTraces(chosen, asked.window);
    return { data: listed.map(({ conversation }) => conversation), coverage: withReuse(coverage, listed) };
  },
  'step-statistics': overWindow(gatherStepStatistics),
  'conversation-counts': overWindow(countConversations),
  'common-errors': overWindow(gatherCommonErrors),
  'step-durations': overWindow(gatherStepDurations),
};

/** Adds the warning of ids that were used again, where conversations are handed over. */
function withReuse(coverage: Coverage, conversations: readonly ConversationTrace[]): Coverage {
  const handedOver = conversations.map(({ conversation: { conversationId }, spans }) => ({ conversationId, spans }));
  return { ...coverage, warnings: [...coverage.warnings, ...reuseWarnings(handedOver)] };
}

/** Answers a question with a window from the conversations that its filters choose. */
function overWindow<Asked extends StepDurationsQuestion, Data>(
  gather: (traces: readonly Trace[], asked: Asked) => Data,
): (traces: readonly Trace[], asked: Asked) => Answer<Data> {
  return (traces, asked) => {
    const chosen = chooseTraces(traces, asked.filters);
    return { data: gather(chosen, asked), coverage: coverTraces(chosen, asked.window) };
  };
}
