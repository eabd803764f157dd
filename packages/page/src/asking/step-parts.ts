import type { ConversationFilters, ConversationSource, StepColumn, Window } from '@convotel/query/answers';

/** What the bars of many conversations are drawn from: a row a trace, a column a step, in step order; a column has only the rows with its step. */
export interface StepParts {
  traceIds: string[];
  steps: Pick<StepColumn, 'step' | 'rows' | 'completedMs' | 'firstOffsetMs'>[];
}

/** Where the steps of each conversation in the window lie, as the source answers it. */
export async function stepParts(
  source: ConversationSource,
  options: { window: Window; filters?: ConversationFilters | undefined },
): Promise<StepParts> {
  const { window, filters = {} } = options;
  const { data } = await source.ask({ name: 'step-durations', window, filters });
  return {
    traceIds: data.traceIds,
    steps: data.steps.map(({ step, rows, completedMs, firstOffsetMs }) => ({ step, rows, completedMs, firstOffsetMs })),
  };
}
