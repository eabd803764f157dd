import type { Answer } from '../../model/coverage.ts';
import type { Engine, StepDurationsQuestion } from '../../questions.ts';
import { gatherCommonErrors } from './common-errors.ts';
import { countConversations, findConversation, listConversations } from './conversations.ts';
import { gatherStepDurations, gatherStepStatistics } from './steps.ts';
import { chooseTraces, coverTraces } from './traces.ts';
import type { Trace } from './traces.ts';

/** The questions in plain TypeScript over traces in memory: the reference that other engines are tested against. */
export const memoryEngine: Engine<readonly Trace[]> = {
  conversation: (traces, { conversationId }) => {
    const data = findConversation(traces, conversationId);
    const found = data.spans.length === 0 ? [] : [{ traceId: data.spans[0]!.traceId, spans: data.spans }];
    return { data, coverage: coverTraces(found, undefined) };
  },
  conversations: (traces, asked) => {
    const chosen = chooseTraces(traces, asked.filters);
    const listed = listConversations(chosen, asked);
    return {
      data: listed.map(({ conversation }) => conversation),
      coverage: asked.order === 'newest' ? coverTraces(listed, undefined) : coverTraces(chosen, asked.window),
    };
  },
  'step-statistics': overWindow(gatherStepStatistics),
  'conversation-counts': overWindow(countConversations),
  'common-errors': overWindow(gatherCommonErrors),
  'step-durations': overWindow(gatherStepDurations),
};

/** Answers a question with a window from the conversations that its filters choose. */
function overWindow<Asked extends StepDurationsQuestion, Data>(
  gather: (traces: readonly Trace[], asked: Asked) => Data,
): (traces: readonly Trace[], asked: Asked) => Answer<Data> {
  return (traces, asked) => {
    const chosen = chooseTraces(traces, asked.filters);
    return { data: gather(chosen, asked), coverage: coverTraces(chosen, asked.window) };
  };
}
