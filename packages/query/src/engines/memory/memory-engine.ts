import type { Answer } from '../../model/coverage.ts';
import type { Engine, StepDurationsQuestion } from '../../questions.ts';
import { chooseTraces } from './choose-traces.ts';
import { countConversations } from './count-conversations.ts';
import { coverSpans } from './cover-spans.ts';
import { findConversation } from './find-conversation.ts';
import { gatherCommonErrors } from './gather-common-errors.ts';
import { gatherStepDurations } from './gather-step-durations.ts';
import { gatherStepStatistics } from './gather-step-statistics.ts';
import { listConversations } from './list-conversations.ts';
import type { Trace } from './trace.ts';

/** The questions in plain TypeScript over traces in memory: the reference that other engines are tested against. */
export const memoryEngine: Engine<readonly Trace[]> = {
  conversation: (traces, { conversationId }) => {
    const data = findConversation(traces, conversationId);
    const found = data.spans.length === 0 ? [] : [{ traceId: data.spans[0]!.traceId, spans: data.spans }];
    return { data, coverage: coverSpans(found, undefined) };
  },
  conversations: (traces, asked) => {
    const chosen = chooseTraces(traces, asked.filters);
    const listed = listConversations(chosen, asked);
    return {
      data: listed.map(({ conversation }) => conversation),
      coverage: asked.order === 'newest' ? coverSpans(listed, undefined) : coverSpans(chosen, asked.window),
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
    return { data: gather(chosen, asked), coverage: coverSpans(chosen, asked.window) };
  };
}
