import type { ConversationDetail, StepRow } from '../answers/data.ts';
import type { SpanRecord } from '../model/span-record.ts';
import { formatInstant } from '../time/format-instant.ts';
import { coveredNano } from './covered-time.ts';
import { millisecondsOf } from './milliseconds.ts';
import { percentOfNano } from './percent.ts';

/**
 * One conversation in numbers, from all spans of its trace in order of start. Start, end and wall come from its steps;
 * the root's own times count only where there is no step. Undefined where there is neither root nor step.
 */
export function conversationDetail(spans: readonly SpanRecord[]): ConversationDetail | undefined {
  const steps = spans.filter(({ role }) => role === 'step');
  const roots = spans.filter(({ role }) => role === 'root');
  const timed = steps.length > 0 ? steps : roots;
  const [first] = timed;
  if (first === undefined) return undefined;

  const start = timed.map((span) => span.startTimeUnixNano).reduce((a, b) => (b < a ? b : a));
  const end = timed.map(endOf).reduce((a, b) => (b > a ? b : a));
  const totalNano = steps.reduce((sum, step) => (step.depth === 0 ? sum + step.durationNano : sum), 0n);
  const stepNano = coveredNano(steps.map((step) => [step.startTimeUnixNano, endOf(step)]));
  return {
    conversationId:
      [...roots, ...steps].find((span) => span.conversationId !== undefined)?.conversationId ?? first.traceId,
    traceId: first.traceId,
    startTime: formatInstant(start),
    endTime: formatInstant(end),
    totalMs: millisecondsOf(totalNano),
    wallMs: millisecondsOf(end - start),
    unattributedMs: millisecondsOf(end - start - stepNano),
    stepCount: steps.length,
    outcome: roots[0]?.outcome ?? 'open',
    steps: steps.map((step) => stepRow(step, totalNano)),
  };
}

/** Start of every step − start of the conversation, in ms, in the order of `steps` in {@link conversationDetail}. */
export function stepOffsetsMs(spans: readonly SpanRecord[]): number[] {
  const starts = spans.filter(({ role }) => role === 'step').map((span) => span.startTimeUnixNano);
  const earliest = starts.reduce((a, b) => (b < a ? b : a), starts[0] ?? 0n);
  return starts.map((start) => millisecondsOf(start - earliest));
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
    sharePct: percentOfNano(span.durationNano, totalNano),
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
