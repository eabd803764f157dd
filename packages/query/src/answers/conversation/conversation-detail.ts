import type { Outcome } from '@convotel/conventions';
import { buildConversation } from '../../model/conversation.ts';
import { millisecondsOf } from '../../model/numbers.ts';
import { percentOfNano } from '../numbers.ts';
import type { SpanRecord } from '../../model/span-record.ts';
import { formatInstant } from '../../time/instant.ts';
import { conversationRow } from '../conversation-row.ts';
import type { ConversationRow } from '../conversation-row.ts';

/** One step of one conversation. */
export interface StepRow {
  step: string;
  spanId: string;
  parentSpanId?: string;
  startTime: string;
  endTime: string;
  durationMs: number;
  /** Share of the conversation's total; absent where the total is 0. */
  sharePct?: number;
  outcome: Outcome;
  /** 0 for an outermost step. */
  depth: number;
  attempt?: number;
  input?: string;
  output?: string;
  inputChars?: number;
  outputChars?: number;
  errorType?: string;
  errorMessage?: string;
  timings?: Record<string, number>;
  timeToFirstOutputMs?: number;
  /** Start − the conversation's start; in `timeline`. */
  offsetMs?: number;
}

/** The data of `summary`, `trace` and `timeline`. */
export interface ConversationDetail extends ConversationRow {
  /** Time during which no step ran: the clock's duration − the time covered by at least one step. */
  unattributedMs: number;
  steps: StepRow[];
}

/**
 * One conversation in numbers, from all spans of its trace, each once, in order of start. Undefined where none is a
 * root or a step.
 */
export function conversationDetail(spans: readonly SpanRecord[]): ConversationDetail | undefined {
  const conversation = buildConversation(spans);
  if (conversation === undefined) return undefined;
  const steps = spans.filter(({ role }) => role === 'step');
  const wallNano = conversation.endTimeUnixNano - conversation.startTimeUnixNano;
  const stepNano = coveredNano(steps.map((step) => [step.startTimeUnixNano, endOf(step)]));
  return {
    ...conversationRow(conversation),
    unattributedMs: millisecondsOf(wallNano - stepNano),
    steps: steps.map((step) => stepRow(step, conversation.stepSumNano)),
  };
}

/** Start of every step − start of the conversation, in ms, in the order of `steps` in {@link conversationDetail}. */
export function stepOffsetsMs(spans: readonly SpanRecord[]): number[] {
  const starts = spans.filter(({ role }) => role === 'step').map((span) => span.startTimeUnixNano);
  const earliest = starts.reduce((a, b) => (b < a ? b : a), starts[0] ?? 0n);
  return starts.map((start) => millisecondsOf(start - earliest));
}

/** How long at least one of `intervals` (`[start, end]`, in any order) lasts: the length of their union. */
export function coveredNano(intervals: readonly (readonly [start: bigint, end: bigint])[]): bigint {
  const byStart = [...intervals].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  let covered = 0n;
  let coveredUntil: bigint | undefined;
  for (const [start, end] of byStart) {
    const from = coveredUntil === undefined || start > coveredUntil ? start : coveredUntil;
    if (end > from) covered += end - from;
    if (coveredUntil === undefined || end > coveredUntil) coveredUntil = end;
  }
  return covered;
}

function stepRow(span: SpanRecord, totalNano: bigint): StepRow {
  const { parentSpanId, attempt, inputText, outputText, inputChars, outputChars, errorType, errorMessage } = span;
  const { timingsSeconds, timeToFirstOutputSeconds } = span;
  return {
    step: span.step ?? span.name,
    spanId: span.spanId,
    ...known('parentSpanId', parentSpanId),
    startTime: formatInstant(span.startTimeUnixNano),
    endTime: formatInstant(endOf(span)),
    durationMs: millisecondsOf(span.durationNano),
    ...known('sharePct', percentOfNano(span.durationNano, totalNano)),
    outcome: span.outcome,
    depth: span.depth,
    ...known('attempt', attempt),
    ...known('input', inputText),
    ...known('output', outputText),
    ...known('inputChars', inputChars),
    ...known('outputChars', outputChars),
    ...known('errorType', errorType),
    ...known('errorMessage', errorMessage),
    ...known('timings', timingsSeconds === undefined ? undefined : millisecondsByPart(timingsSeconds)),
    ...known('timeToFirstOutputMs', secondsToMs(timeToFirstOutputSeconds)),
  };
}

/** `{[name]: value}`, or nothing where the value is unknown: what is unknown is absent in answers. */
function known<Name extends string, Value>(name: Name, value: Value | undefined): { [N in Name]?: Value } {
  return value === undefined ? {} : ({ [name]: value } as { [N in Name]: Value });
}

function endOf(span: SpanRecord): bigint {
  return span.startTimeUnixNano + span.durationNano;
}

function millisecondsByPart(timingsSeconds: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(timingsSeconds).map(([part, seconds]) => [part, seconds * 1000]));
}

function secondsToMs(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : seconds * 1000;
}
