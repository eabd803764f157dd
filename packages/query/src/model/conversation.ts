import { isFailure, worstOutcome } from '@convotel/conventions';
import type { Outcome } from '@convotel/conventions';
import { compareBigint, compareText } from './order.ts';
import type { SpanRecord } from './span-record.ts';

/** The root's outcome, or `open` while no root has arrived. */
export type ConversationOutcome = Outcome | 'open';

/** One conversation in numbers, computed over all of its steps. What no span says is absent. */
export interface ConversationRecord {
  /**
   * The id the program gave: the root's, else the steps', else that of any span; the first by code point where they
   * contradict each other. The trace id where no span carries one.
   */
  conversationId: string;
  traceId: string;
  /** Found like the conversation id. */
  sessionId?: string;
  /** Found like the conversation id. */
  workflow?: string;
  /** Earliest start and latest end of its steps; the root's own times where there is no step. */
  startTimeUnixNano: bigint;
  endTimeUnixNano: bigint;
  /** The worst where there are several roots: failed, timed_out, abandoned, interrupted, completed. */
  outcome: ConversationOutcome;
  /** Where the conversation is a failure: the last outermost step, by start, that failed and was not retried. */
  failedStep?: string;
  /** All step spans, attempts and nested ones included. */
  stepCount: number;
  /** Sum of its outermost steps' durations; more than end − start where steps overlap. */
  stepSumNano: bigint;
  /** By step name, the sum of its completed outermost steps' durations. */
  completedNanoByStep: Record<string, bigint>;
  /** Response latency in ms: the smallest of its steps', else of its roots'. */
  responseMs?: number;
  /** How many of its steps were interrupted. */
  interruptedSteps: number;
  /** What its steps used of models. */
  usage: StepUsage[];
}

/** The numbers of one conversation, from all spans of its trace, each once. Undefined where none is a root or a step. */
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

  const textOf = (field: 'conversationId' | 'sessionId' | 'workflow'): string | undefined =>
    firstText(roots, field) ?? firstText(steps, field) ?? firstText(spans, field);
  const sessionId = textOf('sessionId');
  const workflow = textOf('workflow');
  const outcome = roots.length === 0 ? 'open' : worstOutcome(roots.map((root) => root.outcome));
  const failedStep = outcome !== 'open' && isFailure(outcome) ? findFailedStep(steps) : undefined;
  const responseSeconds = smallestLatency(steps) ?? smallestLatency(roots);
  return {
    conversationId: textOf('conversationId') ?? first.traceId,
    traceId: first.traceId,
    ...(sessionId !== undefined && { sessionId }),
    ...(workflow !== undefined && { workflow }),
    startTimeUnixNano,
    endTimeUnixNano,
    outcome,
    ...(failedStep !== undefined && { failedStep }),
    stepCount: steps.length,
    stepSumNano,
    // Unlike an assignment, this also takes a step named `__proto__`.
    completedNanoByStep: Object.fromEntries(completedNanoByStep),
    ...(responseSeconds !== undefined && { responseMs: responseSeconds * 1000 }),
    interruptedSteps: steps.filter((step) => step.outcome === 'interrupted').length,
    usage: usageOf(steps),
  };
}

/** Unix nanoseconds. */
function endOf(span: SpanRecord): bigint {
  return span.startTimeUnixNano + span.durationNano;
}

/** The first by code point of the texts that `spans` have in `field`. */
function firstText(
  spans: readonly SpanRecord[],
  field: 'conversationId' | 'sessionId' | 'workflow',
): string | undefined {
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

/** What the calls of one step to one model used, in one conversation. Sums are absent where no call says so. */
export interface StepUsage {
  step: string;
  provider?: string;
  model?: string;
  calls: number;
  inputTokens?: number;
  outputTokens?: number;
  /** Characters of the texts that went in. */
  inputChars?: number;
  /** Seconds of audio that went in or came out. */
  audioSeconds?: number;
}

/**
 * What the steps of one conversation used: one entry a step, provider and model, in the order of these texts. Steps that
 * say neither a provider or model nor tokens nor a length of text or audio have none.
 */
export function usageOf(steps: readonly SpanRecord[]): StepUsage[] {
  const entries = new Map<string, StepUsage>();
  for (const { step = '', provider, model, inputTokens, outputTokens, inputChars, audioSeconds } of steps) {
    const amounts = { inputTokens, outputTokens, inputChars, audioSeconds };
    const isEmpty = [provider, model, ...Object.values(amounts)].every((value) => value === undefined);
    if (isEmpty) continue;
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

/** Sorts the earlier start first, equal ones by span id. */
export function compareByStart(a: SpanRecord, b: SpanRecord): number {
  return (
    compareBigint(a.startTimeUnixNano, b.startTimeUnixNano) || (a.spanId < b.spanId ? -1 : Number(a.spanId > b.spanId))
  );
}

/** The spans of one step of which one may have been retried by the other: attempt k, not completed, and attempt k + 1. */
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
    // The latest one that is left is on top.
    const left: SpanRecord[] = [];
    let next = 0;
    for (const retry of retries.sort(compareByStart)) {
      while (next < unsuccessful.length && unsuccessful[next]!.startTimeUnixNano <= retry.startTimeUnixNano) {
        left.push(unsuccessful[next++]!);
      }
      const latest = left.pop();
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

/** A stretch of time `[since, until)` in Unix nanoseconds. A step belongs by its start, a conversation by its start. */
export interface Window {
  sinceUnixNano: bigint;
  untilUnixNano: bigint;
}

/** Whether `unixNano` lies in `window`; everything does where there is no window. */
export function isInWindow(unixNano: bigint, window: Window | undefined): boolean {
  return window === undefined || (unixNano >= window.sinceUnixNano && unixNano < window.untilUnixNano);
}

/** The first instant that a store can hold, in Unix nanoseconds. */
export const EARLIEST_UNIX_NANO = 0n;

/** The last instant that a store can hold, in Unix nanoseconds: 2^63 − 1, in the year 2262. */
export const LATEST_UNIX_NANO = 2n ** 63n - 1n;

/** Chooses conversations, which then count whole; several must all hold. */
export interface ConversationFilters {
  /** Conversations with at least one span of this `service.name`. */
  service?: string;
  /** Conversations with at least one span of this `gen_ai.workflow.name`. */
  workflow?: string;
  /** Conversations with at least one span of this `session.id`. */
  session?: string;
  outcome?: ConversationOutcome;
}
