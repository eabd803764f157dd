import { THRESHOLD } from '@convotel/conventions';
import type { Outcome } from '@convotel/conventions';
import { QueryError } from '../../errors.ts';
import { buildConversation } from '../../model/conversation.ts';
import { withWarning } from '../../model/coverage.ts';
import type { Coverage } from '../../model/coverage.ts';
import { ownAttributesOf } from '../../model/groups.ts';
import type { AttributeValue } from '../../model/groups.ts';
import { millisecondsOf } from '../../model/numbers.ts';
import type { SpanRecord } from '../../model/span-record.ts';
import type { ConversationSource } from '../../questions.ts';
import { formatInstant } from '../../time/instant.ts';
import { conversationRow } from '../recent.ts';
import type { ConversationRow } from '../recent.ts';
import { percentOfNano } from '../intervals.ts';
import { checkNumber, checkSingle } from '../report.ts';
import type { SingleOptions } from '../report.ts';

/** One step of one conversation. */
export interface StepRow {
  step: string;
  spanId: string;
  parentSpanId?: string;
  startTime: string;
  endTime: string;
  durationMs: number;
  /** Percentage of the conversation's `durationMs`; the sum may exceed 100 if steps overlap. Absent if that is 0. */
  sharePct?: number;
  outcome: Outcome;
  /** 0 for an outermost step. */
  depth: number;
  attempt?: number;
  /** `service.name` of the program that recorded the step. */
  service?: string;
  provider?: string;
  model?: string;
  inputTokens?: number;
  outputTokens?: number;
  /** Length of the audio that the step received or generated. */
  audioSeconds?: number;
  input?: string;
  output?: string;
  inputChars?: number;
  outputChars?: number;
  errorType?: string;
  errorMessage?: string;
  timings?: Record<string, number>;
  timeToFirstOutputMs?: number;
  /** Attributes that the program set itself, by name. */
  attributes?: Record<string, AttributeValue>;
  /** Only in `timeline`: start − the conversation's start. */
  offsetMs?: number;
}

/** The data of `summary`, `trace` and `timeline`. */
export interface ConversationDetail extends ConversationRow {
  /** Time in which no step was running: `durationMs` − the time that is covered by at least one step. */
  unattributedMs: number;
  steps: StepRow[];
}

/**
 * One conversation in numbers, from all spans of its trace, without duplicates and ordered by start. Undefined if none
 * is a root or a step.
 */
export function conversationDetail(spans: readonly SpanRecord[]): ConversationDetail | undefined {
  const conversation = buildConversation(spans);
  if (conversation === undefined) return undefined;
  const steps = spans.filter(({ role }) => role === 'step');
  const durationNano = conversation.endTimeUnixNano - conversation.startTimeUnixNano;
  return {
    ...conversationRow(conversation),
    unattributedMs: millisecondsOf(durationNano - coveredNano(steps)),
    steps: steps.map((step) => stepRow(step, durationNano)),
  };
}

/** Start of every step − start of the conversation, in ms, in the order of `steps` in {@link conversationDetail}. */
export function stepOffsetsMs(spans: readonly SpanRecord[]): number[] {
  const starts = spans.filter(({ role }) => role === 'step').map((span) => span.startTimeUnixNano);
  const earliest = starts.reduce((a, b) => (b < a ? b : a), starts[0] ?? 0n);
  return starts.map((start) => millisecondsOf(start - earliest));
}

/** The time in which at least one of `steps`, which are ordered by start, was running. */
export function coveredNano(steps: readonly Pick<SpanRecord, 'startTimeUnixNano' | 'durationNano'>[]): bigint {
  let covered = 0n;
  let coveredUntil = steps[0]?.startTimeUnixNano ?? 0n;
  for (const { startTimeUnixNano: start, durationNano } of steps) {
    const end = start + durationNano;
    if (end <= coveredUntil) continue;
    covered += end - (start > coveredUntil ? start : coveredUntil);
    coveredUntil = end;
  }
  return covered;
}

function stepRow(span: SpanRecord, conversationNano: bigint): StepRow {
  const { timingsSeconds, timeToFirstOutputSeconds } = span;
  // What is unknown is absent in answers. An object with most of its fields from the beginning, and one assignment for each
  // of the others, because a conversation may have very many steps.
  const step = span.step ?? span.name;
  const { spanId, parentSpanId, outcome, depth } = span;
  const startTime = formatInstant(span.startTimeUnixNano);
  const endTime = formatInstant(endOf(span));
  const durationMs = millisecondsOf(span.durationNano);
  const sharePct = percentOfNano(span.durationNano, conversationNano);
  let row: StepRow;
  if (sharePct === undefined) {
    row = {
      step,
      spanId,
      ...(parentSpanId !== undefined && { parentSpanId }),
      startTime,
      endTime,
      durationMs,
      outcome,
      depth,
    };
  } else if (parentSpanId === undefined) {
    row = { step, spanId, startTime, endTime, durationMs, sharePct, outcome, depth };
  } else {
    row = { step, spanId, parentSpanId, startTime, endTime, durationMs, sharePct, outcome, depth };
  }
  if (span.attempt !== undefined) row.attempt = span.attempt;
  if (span.serviceName !== undefined) row.service = span.serviceName;
  if (span.provider !== undefined) row.provider = span.provider;
  if (span.model !== undefined) row.model = span.model;
  if (span.inputTokens !== undefined) row.inputTokens = span.inputTokens;
  if (span.outputTokens !== undefined) row.outputTokens = span.outputTokens;
  if (span.audioSeconds !== undefined) row.audioSeconds = span.audioSeconds;
  if (span.inputText !== undefined) row.input = span.inputText;
  if (span.outputText !== undefined) row.output = span.outputText;
  if (span.inputChars !== undefined) row.inputChars = span.inputChars;
  if (span.outputChars !== undefined) row.outputChars = span.outputChars;
  if (span.errorType !== undefined) row.errorType = span.errorType;
  if (span.errorMessage !== undefined) row.errorMessage = span.errorMessage;
  if (timingsSeconds !== undefined) row.timings = millisecondsByPart(timingsSeconds);
  if (timeToFirstOutputSeconds !== undefined) row.timeToFirstOutputMs = timeToFirstOutputSeconds * 1000;
  const attributes = ownAttributesOf(span);
  if (Object.keys(attributes).length > 0) row.attributes = attributes;
  return row;
}

function endOf(span: SpanRecord): bigint {
  return span.startTimeUnixNano + span.durationNano;
}

function millisecondsByPart(timingsSeconds: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(timingsSeconds).map(([part, seconds]) => [part, seconds * 1000]));
}

/** Options of `summary`, `trace` and `timeline`. */
export interface OneConversationOptions extends SingleOptions {
  /** Target for the findings, in milliseconds; a shorter conversation meets it. @defaultValue `7000` */
  targetMs?: number | undefined;
}

/** One conversation, for the answers that take an id. */
export interface ConversationFound {
  detail: ConversationDetail;
  spans: SpanRecord[];
  /** Has a warning if other traces have the same conversation id. */
  coverage: Coverage;
  targetMs: number;
}

/**
 * Checks `options` and reads the conversation from `source`.
 * @throws {@link QueryError} `OPTION_OUT_OF_RANGE`, `NO_SUCH_CONVERSATION`
 */
export async function getConversation(
  source: ConversationSource,
  options: OneConversationOptions,
): Promise<ConversationFound> {
  checkSingle(options);
  const { conversationId, targetMs = THRESHOLD.targetMs } = options;
  checkNumber('targetMs', targetMs, 0);

  const { data, coverage } = await source.ask({ name: 'conversation', conversationId });
  const { spans, otherTraceIds } = data;
  const detail = conversationDetail(spans);
  if (detail === undefined) {
    const unread = coverage.complete ? '' : `. ${coverage.warnings.map(({ text }) => text).join(' ')}`;
    throw new QueryError(
      'NO_SUCH_CONVERSATION',
      `no conversation ${JSON.stringify(conversationId)} in ${source.location}; "recent" lists the newest ones${unread}`,
    );
  }
  if (otherTraceIds.length === 0) return { detail, spans, coverage, targetMs };
  const text = `other traces carry this conversation id too: ${otherTraceIds.join(', ')}; ask for one by its trace id`;
  return { detail, spans, coverage: withWarning(coverage, { code: 'other-traces', text }), targetMs };
}
