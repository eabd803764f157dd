import { stepKindOf } from '@convotel/conventions';
import type { StepKind } from '@convotel/conventions';
import {
  averages,
  commonErrors,
  compare,
  errors,
  explain,
  longest,
  percentiles,
  recent,
  satisfaction,
  session,
  sessions,
  summary,
  timeline,
  trace,
  usage,
} from '@convotel/query/answers';
import type {
  ConversationFilters,
  ConversationOutcome,
  Coverage,
  ConversationSource,
  StepColumn,
  UsageOptions,
  Window,
} from '@convotel/query/answers';

import { RESPONSE_ROW } from './rows.ts';

/** All questions of the page, by name. Every number on the page comes from one of them. */
export const ANSWERS = {
  averages,
  commonErrors,
  compare,
  errors,
  explain,
  longest,
  percentiles,
  places,
  recent,
  responseLatency,
  satisfaction,
  session,
  sessions,
  stepOverTime,
  stepParts,
  stepSpread,
  summary,
  timeline,
  trace,
  usage: usageWithKinds,
} as const;

export type AnswerName = keyof typeof ANSWERS;

/** The options of a question, besides the source. */
export type OptionsOf<Name extends AnswerName> = Parameters<(typeof ANSWERS)[Name]>[1];

export type AnswerOf<Name extends AnswerName> = Awaited<ReturnType<(typeof ANSWERS)[Name]>>;

/** Calls the function for `name`. */
export function answer<Name extends AnswerName>(
  source: ConversationSource,
  name: Name,
  options: OptionsOf<Name>,
): Promise<AnswerOf<Name>> {
  const ask = ANSWERS[name] as (source: ConversationSource, options: OptionsOf<Name>) => Promise<AnswerOf<Name>>;
  return ask(source, options);
}

/** How long users waited for the first output; absent if no conversation records it. */
export interface ResponseLatency {
  conversations: number;
  p50Ms?: number | undefined;
  p95Ms?: number | undefined;
}

/** Median and P95 of the response latency of the conversations that start in the window. */
export async function responseLatency(
  source: ConversationSource,
  options: { window: Window; filters?: ConversationFilters | undefined },
): Promise<ResponseLatency> {
  const { window, filters = {} } = options;
  const { data } = await source.ask({ name: 'response-statistics', window, filters, quantiles: [0.5, 0.95] });
  const { conversations = 0, quantilesMs: [p50Ms, p95Ms] = [] } = data[0] ?? {};
  return { conversations, p50Ms, p95Ms };
}

/** The position of a conversation in a chart over time. */
export interface PlacedConversation {
  traceId: string;
  /** An integer. */
  startUnixMs: number;
  durationMs: number;
  outcome: ConversationOutcome;
}

/**
 * The positions of all conversations that start in the window, by start. They cost the source a fraction of what rows
 * cost.
 */
export async function places(
  source: ConversationSource,
  options: { window: Window; filters?: ConversationFilters | undefined },
): Promise<{ conversations: PlacedConversation[]; coverage: Coverage }> {
  const { window, filters = {} } = options;
  const { data, coverage } = await source.ask({ name: 'step-durations', window, filters, steps: false });
  const conversations = data.traceIds.flatMap((traceId, row) =>
    data.startsInWindow[row] === 1
      ? [
          {
            traceId,
            startUnixMs: Number(data.startTimesUnixNano[row]! / 1_000_000n),
            durationMs: data.durationMs[row]!,
            outcome: data.outcomes[row]!,
          },
        ]
      : [],
  );
  return { conversations, coverage };
}

/**
 * Data for the bars of many conversations: one row per trace, one column per step, in step order; a column has only the
 * rows with its step.
 */
export interface StepParts {
  traceIds: string[];
  steps: Pick<StepColumn, 'step' | 'rows' | 'completedMs' | 'firstOffsetMs'>[];
}

/** The positions of the steps of each conversation in the window. */
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

/** `usage`, with the kinds of steps as data, because functions cannot be passed to a worker. */
function usageWithKinds(
  source: ConversationSource,
  { kinds = {}, ...options }: UsageOptions & { kinds?: Readonly<Record<string, StepKind>> | undefined },
): ReturnType<typeof usage> {
  const kindOf = (step: string): StepKind => (Object.hasOwn(kinds, step) ? kinds[step] : undefined) ?? stepKindOf(step);
  return usage(source, { ...options, kindOf });
}

/** One step in one time interval. Durations are absent if there are none. */
export interface StepStretch {
  sinceUnixNano: bigint;
  untilUnixNano: bigint;
  p50Ms?: number | undefined;
  p95Ms?: number | undefined;
  firstOutputP50Ms?: number | undefined;
  /** Failures that were not followed by a successful retry. */
  failures: number;
}

/** One step, or the response latency, in equal intervals of the window. */
export async function stepOverTime(
  source: ConversationSource,
  options: { step: string; window: Window; stretches: number; filters?: ConversationFilters | undefined },
): Promise<StepStretch[]> {
  const { step, window, stretches, filters = {} } = options;
  const quantiles = [0.5, 0.95];
  return Promise.all(
    partsOf(window, stretches).map(async (part) => {
      const asked = { window: part, filters, quantiles };
      if (step === RESPONSE_ROW) {
        const { data } = await source.ask({ name: 'response-statistics', ...asked });
        const [p50Ms, p95Ms] = data[0]?.quantilesMs ?? [];
        return { ...part, p50Ms, p95Ms, failures: 0 };
      }
      const { data } = await source.ask({ name: 'step-statistics', ...asked, step, timings: false, firstOutput: true });
      const [p50Ms, p95Ms] = data[0]?.quantilesMs ?? [];
      const [firstOutputP50Ms] = data[0]?.firstOutput?.quantilesMs ?? [];
      return { ...part, p50Ms, p95Ms, firstOutputP50Ms, failures: data[0]?.finalFailures ?? 0 };
    }),
  );
}

/** `window` in `count` intervals of equal length. */
function partsOf({ sinceUnixNano, untilUnixNano }: Window, count: number): Window[] {
  const bound = (index: number): bigint =>
    sinceUnixNano + ((untilUnixNano - sinceUnixNano) * BigInt(index)) / BigInt(count);
  return Array.from({ length: count }, (_, index) => ({
    sinceUnixNano: bound(index),
    untilUnixNano: bound(index + 1),
  })).filter((each) => each.sinceUnixNano < each.untilUnixNano);
}

/** The durations of a step as a hundred quantiles, in order; empty if there are none. */
export interface StepSpread {
  durationsMs: readonly number[];
  firstOutputsMs: readonly number[];
}

/** The distribution of the durations of one step, or of response latencies. */
export async function stepSpread(
  source: ConversationSource,
  options: { step: string; window: Window; filters?: ConversationFilters | undefined },
): Promise<StepSpread> {
  const { step, window, filters = {} } = options;
  const asked = { window, filters, quantiles: Array.from({ length: 100 }, (_, index) => (index + 0.5) / 100) };
  if (step === RESPONSE_ROW) {
    const { data } = await source.ask({ name: 'response-statistics', ...asked });
    return { durationsMs: data[0]?.quantilesMs ?? [], firstOutputsMs: [] };
  }
  const { data } = await source.ask({ name: 'step-statistics', ...asked, step, timings: false, firstOutput: true });
  return { durationsMs: data[0]?.quantilesMs ?? [], firstOutputsMs: data[0]?.firstOutput?.quantilesMs ?? [] };
}
