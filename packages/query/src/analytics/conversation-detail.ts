import type { ConversationDetail, StepRow } from '../answers/data.ts';
import type { SpanRecord } from '../model/span-record.ts';
import { buildConversation } from '../model/conversation.ts';
import { formatInstant } from '../time/format-instant.ts';
import { conversationRow } from './conversation-rows.ts';
import { coveredNano } from './covered-time.ts';
import { millisecondsOf } from './milliseconds.ts';
import { percentOfNano } from './percent.ts';

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
    steps: steps.map((step) => stepRow(step, conversation.totalNano)),
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
