import { isFailure } from '@convotel/conventions';
import type {
  Answer,
  ConversationRecord,
  ConversationFilters,
  SpanRecord,
  StepDurations,
  StepDurationsQuestion,
  StepStatistics,
  StepStatisticsQuestion,
  Window,
} from '@convotel/query';
import { compareText } from '@convotel/query/engine';
import {
  contains,
  firstOffsetMs,
  foldedNames,
  interpolate,
  intervalsIn,
  mean,
  msOf,
  newestFirst,
  pad,
  retriedAmong,
  sum,
} from './naive-definitions.ts';
import type { FoldedNames } from './naive-definitions.ts';
import { groupsOf } from './naive-groups.ts';
import type { NaiveSpans } from './naive-spans.ts';

/** Numbers per step, straight from the definitions. */
export async function stepStatistics(
  store: NaiveSpans,
  question: StepStatisticsQuestion,
): Promise<Answer<StepStatistics[]>> {
  const { window, filters = {}, quantiles = [], timings = true, firstOutput = false, step: wanted } = question;
  const { durationQuantiles = true, quantileIntervals = false } = question;
  const own = store.coveredSpans(window, filters).filter((span) => span.step !== undefined);
  const fold = foldedNames(wanted === undefined ? own : [], window);
  const spans = own.map((span) => fold.renamed(span));
  const retried = store
    .conversations(filters)
    .flatMap(({ traceId }) => retriedAmong(store.ofTrace(traceId)).map((span) => fold.renamed(span)));
  const group = groupsOf(store, question.groupBy, (span) => fold.original(span));
  const order = stepOrder(store, window, filters, spans, fold).filter((step) => [undefined, step].includes(wanted));
  const rows = group.names
    .flatMap((name) => order.map((step) => ({ name, step })))
    .filter(({ name, step }) => spans.some((span) => span.step === step && group.of(span) === name))
    .map(({ name, step }): StepStatistics => {
      const ofStep = spans.filter((span) => span.step === step && group.of(span) === name);
      const completed = ofStep.filter(({ outcome }) => outcome === 'completed');
      const counted = completed.filter((span) => msOf(span) < 60_000);
      const durations = counted.map(msOf).sort((a, b) => a - b);
      const firstOutputs = counted
        .flatMap(({ timeToFirstOutputSeconds: seconds }) => (seconds === undefined ? [] : [seconds * 1000]))
        .sort((a, b) => a - b);
      const timed = timings ? counted : [];
      const parts = [...new Set(timed.flatMap((span) => Object.keys(span.timingsSeconds ?? {})))].sort(compareText);
      return {
        ...(name !== undefined && { group: name }),
        step,
        total: ofStep.length,
        completed: completed.length,
        failures: ofStep.filter(({ outcome }) => isFailure(outcome)).length,
        retried: ofStep.filter((span) => retried.includes(span)).length,
        finalFailures: ofStep.filter((span) => isFailure(span.outcome) && !retried.includes(span)).length,
        count: counted.length,
        ...(counted.length > 0 && {
          averageMs: mean(durations),
          minMs: Math.min(...durations),
          maxMs: Math.max(...durations),
        }),
        outermostMs: sum(counted.filter(({ depth }) => depth === 0).map(msOf)),
        leftOut: { tooLong: completed.length - counted.length, notCompleted: ofStep.length - completed.length },
        timings: Object.fromEntries(
          parts.map((part) => [
            part,
            mean(counted.flatMap(({ timingsSeconds: all = {} }) => (Object.hasOwn(all, part) ? [all[part]!] : []))) *
              1000,
          ]),
        ),
        quantilesMs:
          durations.length === 0 || !durationQuantiles ? [] : quantiles.map((rank) => interpolate(durations, rank)),
        ...(quantileIntervals && { quantileIntervalsMs: durationQuantiles ? intervalsIn(durations, quantiles) : [] }),
        ...(firstOutput &&
          firstOutputs.length > 0 && {
            firstOutput: {
              count: firstOutputs.length,
              averageMs: mean(firstOutputs),
              quantilesMs: quantiles.map((rank) => interpolate(firstOutputs, rank)),
              ...(quantileIntervals && { quantileIntervalsMs: intervalsIn(firstOutputs, quantiles) }),
            },
          }),
      };
    });
  return { data: rows, coverage: fold.warned(store.covered(window, filters)) };
}

/** One row a conversation, one column a step. */
export async function stepDurations(
  store: NaiveSpans,
  question: StepDurationsQuestion,
): Promise<Answer<StepDurations>> {
  const { window, filters = {}, groupBy, traits = false, steps: withColumns = true } = question;
  const covered = store.coveredSpans(window, filters);
  const rows = newestFirst(store.conversations(filters)).filter(
    ({ traceId, startTimeUnixNano }) =>
      contains(window, startTimeUnixNano) ||
      covered.some((span) => span.traceId === traceId && span.step !== undefined),
  );
  rows.sort((a, b) =>
    compareText(`${pad(a.startTimeUnixNano)}${a.traceId}`, `${pad(b.startTimeUnixNano)}${b.traceId}`),
  );
  const ownStepsOf = ({ traceId }: ConversationRecord): SpanRecord[] =>
    store.ofTrace(traceId).filter((span) => span.step !== undefined);
  const fold = foldedNames(rows.flatMap(ownStepsOf), window);
  const stepsByRow = rows.map((row) => ownStepsOf(row).map((span) => fold.renamed(span)));
  const steps = stepOrder(store, window, filters, stepsByRow.flat(), fold);
  const group = groupsOf(store, groupBy, (span) => fold.original(span));
  const cellOf = (row: number, step: string, name: string | undefined): SpanRecord[] =>
    stepsByRow[row]!.filter((span) => span.step === step && group.of(span) === name);
  const columns = group.names
    .flatMap((name) => steps.map((step) => ({ name, step })))
    .map(({ name, step }) => {
      const ofColumn = [...rows.keys()].filter((row) => cellOf(row, step, name).length > 0);
      return { name, step, ofColumn, cells: ofColumn.map((row) => cellOf(row, step, name)) };
    })
    .filter(({ ofColumn }) => ofColumn.length > 0);
  const isCounted = (span: SpanRecord): boolean =>
    span.outcome === 'completed' && msOf(span) < 60_000 && contains(window, span.startTimeUnixNano);
  const firstOutputsOf = (spans: readonly SpanRecord[]): number[] =>
    spans.filter(isCounted).flatMap(({ timeToFirstOutputSeconds }) => timeToFirstOutputSeconds ?? []);
  const data: StepDurations = {
    traceIds: rows.map(({ traceId }) => traceId),
    startTimesUnixNano: BigInt64Array.from(rows, (row) => row.startTimeUnixNano),
    startsInWindow: Uint8Array.from(rows, (row) => (contains(window, row.startTimeUnixNano) ? 1 : 0)),
    outcomes: rows.map(({ outcome }) => outcome),
    durationMs: Float64Array.from(rows, (row) => Number(row.endTimeUnixNano - row.startTimeUnixNano) / 1e6),
    responseMs: Float64Array.from(rows, ({ responseMs = Number.NaN }) => responseMs),
    stepSumMs: Float64Array.from(rows, (row) =>
      sum(
        ownStepsOf(row)
          .filter(({ depth }) => depth === 0)
          .map(msOf),
      ),
    ),
    ...(groupBy && {
      groupMasks: Uint32Array.from(rows, ({ traceId }) => {
        const names = group.ofConversation(store.ofTrace(traceId));
        return sum(names.map((name) => 2 ** group.names.indexOf(name)));
      }),
    }),
    steps: (withColumns ? columns : []).map(({ name, step, ofColumn, cells }) => ({
      ...(name !== undefined && { group: name }),
      step,
      rows: Uint32Array.from(ofColumn),
      countedMs: Float64Array.from(cells, (spans) => sum(spans.filter(isCounted).map(msOf))),
      counted: Uint32Array.from(cells, (spans) => spans.filter(isCounted).length),
      completedMs: Float64Array.from(cells, (spans) => {
        const completed = spans.filter(({ outcome }) => outcome === 'completed');
        return completed.length === 0 ? Number.NaN : sum(completed.map(msOf));
      }),
      firstOffsetMs: Float64Array.from(cells, (spans, place) => firstOffsetMs(spans, rows[ofColumn[place]!]!)),
      ...(traits && {
        traits: {
          models: cells.map((spans) => spans.flatMap(({ model }) => model ?? []).sort(compareText)[0] ?? ''),
          retries: Uint32Array.from(cells, (spans) => spans.filter(({ attempt = 1 }) => attempt >= 2).length),
          inputChars: Float64Array.from(cells, (spans) => {
            const lengths = spans.flatMap(({ inputChars }) => inputChars ?? []);
            return lengths.length === 0 ? Number.NaN : sum(lengths);
          }),
          firstOutputMs: Float64Array.from(cells, (spans) => sum(firstOutputsOf(spans)) * 1000),
          firstOutputs: Uint32Array.from(cells, (spans) => firstOutputsOf(spans).length),
        },
      }),
    })),
  };
  const coverage = store.covered(window, filters);
  return { data, coverage: withColumns ? fold.warned(coverage) : coverage };
}

/** The steps of `spans`, in the order that the newest 500 conversations of the window give. */
function stepOrder(
  store: NaiveSpans,
  window: Window,
  filters: ConversationFilters,
  spans: readonly SpanRecord[],
  fold: FoldedNames,
): string[] {
  const newest = newestFirst(store.conversations(filters).filter((row) => contains(window, row.startTimeUnixNano)));
  const offsets = newest.slice(0, 500).map((row) => {
    const own = store.ofTrace(row.traceId).filter((span) => span.step !== undefined);
    const steps = own.map((span) => fold.renamed(span));
    return new Map(
      steps.map(({ step }) => [
        step!,
        firstOffsetMs(
          steps.filter((span) => span.step === step),
          row,
        ),
      ]),
    );
  });
  const beats = (a: string, b: string): boolean => {
    const both = offsets.filter((of) => of.has(a) && of.has(b));
    return both.filter((of) => of.get(a)! < of.get(b)!).length > both.length / 2;
  };
  const median = (step: string): number =>
    interpolate(
      offsets.flatMap((of) => of.get(step) ?? []).sort((a, b) => a - b),
      0.5,
    );
  const seen = [...new Set(offsets.flatMap((of) => [...of.keys()]))].sort(
    (a, b) => median(a) - median(b) || compareText(a, b),
  );
  const ordered: string[] = [];
  while (ordered.length < seen.length) {
    const left = seen.filter((step) => !ordered.includes(step));
    ordered.push(left.find((step) => !left.some((other) => beats(other, step))) ?? left[0]!);
  }
  const wanted = new Set(spans.map(({ step }) => step!));
  const unseen = [...wanted].filter((step) => !seen.includes(step)).sort(compareText);
  return [...ordered.filter((step) => wanted.has(step)), ...unseen];
}
