import { isFailure, worstOutcome } from '@convotel/conventions';
import type { Outcome } from '@convotel/conventions';
import { recordOf } from './numbers.ts';
import { compareBigint, compareText } from './order.ts';
import type { SpanRecord } from './span-record.ts';

/** The root's outcome, or `open` while there is no root span. */
export type ConversationOutcome = Outcome | 'open';

/** One conversation in numbers, computed over all of its steps. Fields that no span has are absent. */
export interface ConversationRecord {
  /**
   * The conversation id: that of the root, else of the steps, else of any span; if they differ, the first by code
   * point. The trace id if no span has one.
   */
  conversationId: string;
  traceId: string;
  /** From the same spans as the conversation id. */
  sessionId?: string;
  /** From the same spans as the conversation id. */
  workflow?: string;
  /** Earliest start and latest end of its steps; without steps, those of the root. */
  startTimeUnixNano: bigint;
  endTimeUnixNano: bigint;
  /** If there are several roots, the worst, in this order: failed, timed_out, abandoned, interrupted, completed. */
  outcome: ConversationOutcome;
  /** If the conversation failed: the last outermost step, by start, that failed and was not retried. */
  failedStep?: string;
  /** Number of step spans, including retries and nested steps. */
  stepCount: number;
  /** Sum of its outermost steps' durations; may exceed end − start if steps overlap. */
  stepSumNano: bigint;
  /** By step name, the sum of its completed outermost steps' durations. */
  completedNanoByStep: Record<string, bigint>;
  /** Response latency in ms: the smallest of its steps, else of its roots. */
  responseMs?: number;
  /** Number of its steps that were interrupted. */
  interruptedSteps: number;
  /** Model usage of its steps. */
  usage: StepUsage[];
}

/** Computes a conversation from all spans of its trace, without duplicates. Undefined if none is a root or a step. */
export function buildConversation(spans: readonly SpanRecord[]): ConversationRecord | undefined {
  const steps = spans.filter((span) => span.role === 'step');
  const roots = spans.filter((span) => span.role === 'root');
  const timed = steps.length > 0 ? steps : roots;
  const [first] = timed;
  if (first === undefined) return undefined;

  let startTimeUnixNano = first.startTimeUnixNano;
  let endTimeUnixNano = endOf(first);
  for (const span of timed) {
    if (span.startTimeUnixNano < startTimeUnixNano) startTimeUnixNano = span.startTimeUnixNano;
    if (endOf(span) > endTimeUnixNano) endTimeUnixNano = endOf(span);
  }

  let stepSumNano = 0n;
  const completedNanoByStep = new Map<string, bigint>();
  for (const { step = '', depth, outcome, durationNano } of steps) {
    if (depth > 0) continue;
    stepSumNano += durationNano;
    if (outcome === 'completed') completedNanoByStep.set(step, (completedNanoByStep.get(step) ?? 0n) + durationNano);
  }

  const sessionId = sharedText(spans, 'sessionId', roots, steps);
  const workflow = sharedText(spans, 'workflow', roots, steps);
  const outcome = roots.length === 0 ? 'open' : worstOutcome(roots.map((root) => root.outcome));
  const failedStep = outcome !== 'open' && isFailure(outcome) ? findFailedStep(steps) : undefined;
  const responseSeconds = smallestLatency(steps) ?? smallestLatency(roots);
  return {
    conversationId: sharedText(spans, 'conversationId', roots, steps) ?? first.traceId,
    traceId: first.traceId,
    ...(sessionId !== undefined && { sessionId }),
    ...(workflow !== undefined && { workflow }),
    startTimeUnixNano,
    endTimeUnixNano,
    outcome,
    ...(failedStep !== undefined && { failedStep }),
    stepCount: steps.length,
    stepSumNano,
    completedNanoByStep: recordOf(completedNanoByStep),
    ...(responseSeconds !== undefined && { responseMs: responseSeconds * 1000 }),
    interruptedSteps: steps.filter((step) => step.outcome === 'interrupted').length,
    usage: usageOf(steps),
  };
}

/** The id of the conversation that consists of `spans`, of which there is one at least. */
export function conversationIdOf(spans: readonly SpanRecord[]): string {
  return sharedText(spans, 'conversationId') ?? spans[0]!.traceId;
}

type SharedField = 'conversationId' | 'sessionId' | 'workflow';

/** `field` of the roots, else of the steps, else of any span. */
function sharedText(
  spans: readonly SpanRecord[],
  field: SharedField,
  roots: readonly SpanRecord[] = spans.filter(({ role }) => role === 'root'),
  steps: readonly SpanRecord[] = spans.filter(({ role }) => role === 'step'),
): string | undefined {
  return firstText(roots, field) ?? firstText(steps, field) ?? firstText(spans, field);
}

/** Unix nanoseconds. */
function endOf(span: SpanRecord): bigint {
  return span.startTimeUnixNano + span.durationNano;
}

/** The first value of `field` by code point. */
function firstText(spans: readonly SpanRecord[], field: SharedField): string | undefined {
  let first: string | undefined;
  for (const { [field]: text } of spans) {
    if (text === undefined || text === first) continue;
    if (first === undefined || compareText(text, first) < 0) first = text;
  }
  return first;
}

function findFailedStep(steps: readonly SpanRecord[]): string | undefined {
  const retried = findRetried(steps);
  const failed = steps.filter((span) => span.depth === 0 && isFailure(span.outcome) && !retried.has(span));
  return failed.sort(compareByStart).at(-1)?.step;
}

function smallestLatency(spans: readonly SpanRecord[]): number | undefined {
  let smallest: number | undefined;
  for (const { responseLatencySeconds: seconds } of spans) {
    if (seconds !== undefined && (smallest === undefined || seconds < smallest)) smallest = seconds;
  }
  return smallest;
}

/** Usage of one model by one step in one conversation. A sum is absent if no call has the number. */
export interface StepUsage {
  step: string;
  provider?: string;
  model?: string;
  calls: number;
  inputTokens?: number;
  outputTokens?: number;
  /** Characters of the input texts. */
  inputChars?: number;
  /** Seconds of audio that went in or came out. */
  audioSeconds?: number;
}

/**
 * The model usage of one conversation: one entry per step, provider and model, sorted by these. Steps without a
 * provider, model, token count, input length and seconds of audio have no entry.
 */
export function usageOf(steps: readonly SpanRecord[]): StepUsage[] {
  const entries = new Map<string, StepUsage>();
  for (const { step = '', provider, model, inputTokens, outputTokens, inputChars, audioSeconds } of steps) {
    if ((provider ?? model ?? inputTokens ?? outputTokens ?? inputChars ?? audioSeconds) === undefined) continue;
    const amounts = { inputTokens, outputTokens, inputChars, audioSeconds };
    const key = JSON.stringify([step, provider ?? '', model ?? '']);
    let entry = entries.get(key);
    if (entry === undefined) {
      entry = { step, ...(provider !== undefined && { provider }), ...(model !== undefined && { model }), calls: 0 };
      entries.set(key, entry);
    }
    entry.calls += 1;
    for (const [name, amount] of Object.entries(amounts) as [keyof typeof amounts, number | undefined][]) {
      if (amount !== undefined) entry[name] = (entry[name] ?? 0) + amount;
    }
  }
  return [...entries].sort(([a], [b]) => compareText(a, b)).map(([, entry]) => entry);
}

/** Sorts by start, then span id. */
export function compareByStart(a: SpanRecord, b: SpanRecord): number {
  return (
    compareBigint(a.startTimeUnixNano, b.startTimeUnixNano) || (a.spanId < b.spanId ? -1 : Number(a.spanId > b.spanId))
  );
}

/** Spans with one step name: those of attempt k that did not complete, and those of attempt k + 1. */
interface Attempts {
  unsuccessful: SpanRecord[];
  retries: SpanRecord[];
}

/**
 * The spans of one conversation that were retried. Within a step name, in order of start, then span id, each span with
 * attempt k + 1 retries the latest span of attempt k that is not completed, has not been retried yet, and started at or
 * before it.
 */
export function findRetried(spans: readonly SpanRecord[]): ReadonlySet<SpanRecord> {
  const retried = new Set<SpanRecord>();
  if (!spans.some(({ attempt = 1 }) => attempt > 1)) return retried;
  for (const { unsuccessful, retries } of groupAttempts(spans)) {
    unsuccessful.sort(compareByStart);
    // A stack: the latest span that was not retried is on top.
    const notRetried: SpanRecord[] = [];
    let next = 0;
    for (const retry of retries.sort(compareByStart)) {
      while (next < unsuccessful.length && unsuccessful[next]!.startTimeUnixNano <= retry.startTimeUnixNano) {
        notRetried.push(unsuccessful[next++]!);
      }
      const latest = notRetried.pop();
      if (latest !== undefined) retried.add(latest);
    }
  }
  return retried;
}

function groupAttempts(spans: readonly SpanRecord[]): Iterable<Attempts> {
  const groups = new Map<string, Attempts>();
  const groupOf = (step: string, attempt: number): Attempts => {
    const key = `${attempt} ${step}`;
    let group = groups.get(key);
    if (group === undefined) groups.set(key, (group = { unsuccessful: [], retries: [] }));
    return group;
  };
  for (const span of spans) {
    const { step, attempt = 1, outcome } = span;
    if (step === undefined) continue;
    if (outcome !== 'completed') groupOf(step, attempt).unsuccessful.push(span);
    if (attempt > 1) groupOf(step, attempt - 1).retries.push(span);
  }
  return groups.values();
}

/** A time range `[since, until)` in Unix nanoseconds. Steps and conversations belong to it by their start. */
export interface Window {
  sinceUnixNano: bigint;
  untilUnixNano: bigint;
}

/** Whether `unixNano` is in `window`; true without a window. */
export function isInWindow(unixNano: bigint, window: Window | undefined): boolean {
  return window === undefined || (unixNano >= window.sinceUnixNano && unixNano < window.untilUnixNano);
}

/** The first instant that a store can hold, in Unix nanoseconds. */
export const EARLIEST_UNIX_NANO = 0n;

/** The last instant that a store can hold, in Unix nanoseconds: 2^63 − 1, in the year 2262. */
export const LATEST_UNIX_NANO = 2n ** 63n - 1n;

/** Selects whole conversations. If several filters are set, all must match. */
export interface ConversationFilters {
  /** Conversations with at least one span of this `service.name`. */
  service?: string;
  /** Conversations with at least one span of this `gen_ai.workflow.name`. */
  workflow?: string;
  /** Conversations with at least one span of this `session.id`. */
  session?: string;
  outcome?: ConversationOutcome;
}
