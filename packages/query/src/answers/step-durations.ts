import { millisecondsOf } from '../model/numbers.ts';
import type { Answer } from '../model/coverage.ts';
import type { ConversationFilters } from '../model/window.ts';
import type { Window } from '../model/window.ts';
import type { ConversationSource, StepDurations } from '../questions.ts';
import { MAX_QUESTION_LIMIT } from '../questions.ts';

/** {@link StepDurations} with what each conversation took by the clock. */
export interface ClockedDurations extends StepDurations {
  /** End − start in ms, wherever its steps start. */
  durationMs: Float64Array;
}

/** The answer to `step-durations`, and by the clock what each conversation that starts in the window took. */
export async function readStepDurations(
  source: ConversationSource,
  window: Window,
  filters: ConversationFilters,
): Promise<Answer<ClockedDurations>> {
  const { data, coverage } = await source.ask({ name: 'step-durations', window, filters });
  const byTraceId = await readClock(source, window, filters);
  const durationMs = Float64Array.from(data.traceIds, (traceId) => byTraceId.get(traceId) ?? Number.NaN);
  return { data: { ...data, durationMs }, coverage };
}

/** By trace id, end − start of the conversations that start in the window, in ms; read page by page, newest first. */
async function readClock(
  source: ConversationSource,
  window: Window,
  filters: ConversationFilters,
): Promise<Map<string, number>> {
  const byTraceId = new Map<string, number>();
  for (let { untilUnixNano } = window; untilUnixNano > window.sinceUnixNano;) {
    const page = { ...window, untilUnixNano };
    const asked = { window: page, filters, order: 'newest', limit: MAX_QUESTION_LIMIT } as const;
    const { data } = await source.ask({ name: 'conversations', ...asked });
    for (const { traceId, startTimeUnixNano: start, endTimeUnixNano: end } of data) {
      byTraceId.set(traceId, millisecondsOf(end - start));
    }
    const oldest = data.at(-1);
    if (oldest === undefined || data.length < MAX_QUESTION_LIMIT) break;
    // The next page begins with the same start, which others may share; a page of one start alone would repeat itself.
    const next = oldest.startTimeUnixNano + 1n;
    untilUnixNano = next < untilUnixNano ? next : oldest.startTimeUnixNano;
  }
  return byTraceId;
}

/** First offset in ms of each step that each conversation has, by row: what `orderSteps` takes. */
export function firstOffsetsByRow(durations: StepDurations): Map<string, number>[] {
  const offsetsByRow = durations.traceIds.map(() => new Map<string, number>());
  for (const { step, rows, firstOffsetMs } of durations.steps) {
    rows.forEach((row, place) => {
      const [offsets, offset] = [offsetsByRow[row]!, firstOffsetMs[place]!];
      // A step may be in several groups.
      offsets.set(step, Math.min(offset, offsets.get(step) ?? offset));
    });
  }
  return offsetsByRow;
}
