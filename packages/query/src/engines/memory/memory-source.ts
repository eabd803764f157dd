import { isFailure, traceIdOf } from '@convotel/conventions';
import { compareByStart, isInWindow } from '../../model/conversation.ts';
import type { ConversationRecord } from '../../model/conversation.ts';
import { reuseWarnings } from '../../model/coverage.ts';
import type { Answer, Coverage } from '../../model/coverage.ts';
import { errorPatternOf } from '../../model/error-pattern.ts';
import { groupMask, namedGroup } from '../../model/groups.ts';
import { sumOf } from '../../model/numbers.ts';
import { compareAbsentLast, compareBigint, compareText } from '../../model/order.ts';
import { quantilesOfSorted } from '../../model/order-statistics.ts';
import { sumBySession } from '../../model/session-sums.ts';
import type { SessionSums } from '../../model/session-sums.ts';
import type { SpanRecord } from '../../model/span-record.ts';
import { UsageSums } from '../../model/usage-sums.ts';
import type { UsageSum } from '../../model/usage-sums.ts';
import { askEngine } from '../../questions.ts';
import type {
  CommonError,
  CommonErrorsQuestion,
  ConversationCount,
  ConversationCountsQuestion,
  ConversationSource,
  ConversationSpans,
  ConversationsQuestion,
  Engine,
  ModelUsageQuestion,
  Question,
  QuestionName,
  Questions,
  ResponseStatistics,
  ResponseStatisticsQuestion,
  SessionsQuestion,
  SourceKind,
} from '../../questions.ts';
import { foldIntoHours, localDayOf } from '../../time/instant.ts';
import { stepAnswers } from './steps.ts';
import {
  chooseTraces,
  compareNewestFirst,
  coverTraces,
  groupIntoTraces,
  isConversation,
  overWindow,
  warnUnrecognised,
} from './traces.ts';
import type { ConversationTrace, Trace } from './traces.ts';

/**
 * Answers questions from traces in memory. It is the reference implementation that other engines are tested against.
 */
const memoryEngine: Engine<readonly Trace[]> = {
  ...stepAnswers,
  conversation: (traces, { conversationId }) => {
    const data = findConversation(traces, conversationId);
    const found = groupIntoTraces(data.spans).filter(isConversation);
    return { data, coverage: withReuse(coverTraces(found, undefined), found) };
  },
  conversations: (traces, asked) => {
    const chosen = chooseTraces(traces, asked.filters);
    const listed = listConversations(chosen, asked);
    const coverage = asked.order === 'newest' ? coverTraces(listed, undefined) : coverTraces(chosen, asked.window);
    return {
      data: listed.map(({ conversation }) => conversation),
      coverage: withReuse(listed.length > 0 ? coverage : warnUnrecognised(coverage, chosen, asked), listed),
    };
  },
  'conversation-counts': overWindow(countConversations),
  'response-statistics': overWindow(measureResponses),
  'common-errors': overWindow(gatherCommonErrors),
  sessions: overWindow(sumSessions),
  'model-usage': overWindow(sumUsage),
};

/** Options of {@link MemorySource}. */
export interface MemorySourceOptions {
  /** The kind of source that the spans were read from. @defaultValue `memory` */
  kind?: SourceKind | undefined;
  /** Address or path for messages. @defaultValue `memory` */
  location?: string | undefined;
  /**
   * Sentences about what could not be read. Each becomes a warning, and any makes all answers incomplete.
   * @defaultValue none
   */
  unread?: readonly string[] | undefined;
}

/** Answers from spans in memory; also used by sources that can only read spans. */
export class MemorySource implements ConversationSource {
  readonly kind: SourceKind;
  readonly location: string;
  readonly #traces: readonly Trace[];
  readonly #unread: readonly string[];

  /** @param spans In the order of reading; may contain copies. They must not be changed afterwards. */
  constructor(spans: Iterable<SpanRecord>, options: MemorySourceOptions = {}) {
    const { kind = 'memory', location = 'memory', unread = [] } = options;
    this.kind = kind;
    this.location = location;
    this.#unread = unread;
    this.#traces = groupIntoTraces(spans);
  }

  async ask<Name extends QuestionName>(question: Question<Name>): Promise<Answer<Questions[Name]['answer']>> {
    const { data, coverage } = await askEngine(memoryEngine, this.#traces, question);
    const complete = this.#unread.length === 0;
    const unread = this.#unread.map((text) => ({ code: 'unread' as const, text }));
    return { data, coverage: { ...coverage, complete, warnings: [...unread, ...coverage.warnings] } };
  }

  async close(): Promise<void> {}
}

const QUARTER_HOUR_NANO = 900_000_000_000n;

/** The value that each order sorts and filters by, in nanoseconds; undefined excludes the conversation. */
const SIZE_BY_ORDER: Record<ConversationsQuestion['order'], (conversation: ConversationRecord) => bigint | undefined> =
  {
    newest: durationNanoOf,
    longest: durationNanoOf,
    slowest: (conversation) => (conversation.outcome === 'open' ? undefined : durationNanoOf(conversation)),
    'slowest-response': ({ responseMs }) =>
      responseMs === undefined ? undefined : BigInt(Math.round(responseMs * 1e6)),
  };

function durationNanoOf({ startTimeUnixNano, endTimeUnixNano }: ConversationRecord): bigint {
  return endTimeUnixNano - startTimeUnixNano;
}

/** Adds the warning of reused conversation ids. */
function withReuse(coverage: Coverage, conversations: readonly ConversationTrace[]): Coverage {
  const listed = conversations.map(({ conversation: { conversationId }, spans }) => ({ conversationId, spans }));
  return { ...coverage, warnings: [...coverage.warnings, ...reuseWarnings(listed)] };
}

function findConversation(traces: readonly Trace[], conversationId: string): ConversationSpans {
  const conversations = traces.filter(isConversation);
  const traceOf = (traceId: string): Trace | undefined => conversations.find((trace) => trace.traceId === traceId);
  const carriers = conversations
    .filter(({ spans }) => spans.some((span) => span.conversationId === conversationId))
    .sort(compareNewestFirst);
  const found = traceOf(traceIdOf(conversationId)) ?? carriers[0] ?? traceOf(conversationId.toLowerCase());
  return {
    spans: [...(found?.spans ?? [])].sort(compareByStart),
    otherTraceIds: carriers.filter((trace) => trace !== found).map(({ traceId }) => traceId),
  };
}

function listConversations(traces: readonly Trace[], question: ConversationsQuestion): ConversationTrace[] {
  const { window, order, limit, aboveNano = -1n } = question;
  const fitting: { trace: ConversationTrace; sizeNano: bigint }[] = [];
  for (const trace of traces.filter(isConversation)) {
    const sizeNano = SIZE_BY_ORDER[order](trace.conversation);
    if (!isInWindow(trace.conversation.startTimeUnixNano, window)) continue;
    if (sizeNano !== undefined && sizeNano > aboveNano) fitting.push({ trace, sizeNano });
  }
  const isBySize = order !== 'newest';
  return fitting
    .sort((a, b) => (isBySize ? compareBigint(b.sizeNano, a.sizeNano) : 0) || compareNewestFirst(a.trace, b.trace))
    .slice(0, limit)
    .map(({ trace }) => trace);
}

function measureResponses(
  traces: readonly Trace[],
  { window, quantiles = [], quantileIntervals = false, groupBy }: ResponseStatisticsQuestion,
): ResponseStatistics[] {
  const latenciesMs = new Map<number, number[]>(groupBy === undefined ? [[0, []]] : []);
  for (const { spans, conversation } of traces.filter(isConversation)) {
    const { responseMs, startTimeUnixNano } = conversation;
    if (responseMs === undefined || !isInWindow(startTimeUnixNano, window)) continue;
    const mask = groupBy === undefined ? 1 : groupMask(spans, groupBy);
    for (let group = 0; mask >> group > 0; group++) {
      if ((mask & (1 << group)) === 0) continue;
      const known = latenciesMs.get(group);
      if (known === undefined) latenciesMs.set(group, [responseMs]);
      else known.push(responseMs);
    }
  }
  return [...latenciesMs]
    .sort(([a], [b]) => a - b)
    .map(([group, values]): ResponseStatistics => {
      const sorted = Float64Array.from(values).sort();
      return {
        ...namedGroup(group, groupBy),
        conversations: sorted.length,
        ...(sorted.length > 0 && {
          averageMs: sumOf(sorted) / sorted.length,
          minMs: sorted[0]!,
          maxMs: sorted[sorted.length - 1]!,
        }),
        ...quantilesOfSorted(sorted, quantiles, quantileIntervals),
      };
    });
}

function countConversations(
  traces: readonly Trace[],
  { window, by, timeZone }: ConversationCountsQuestion,
): ConversationCount[] {
  const countsByQuarterHour = new Map<bigint, number>();
  for (const { conversation } of traces.filter(isConversation)) {
    const start = conversation.startTimeUnixNano;
    if (!isInWindow(start, window)) continue;
    // Rounds down before 1970 too, where `%` is negative.
    const quarterHour = start - (((start % QUARTER_HOUR_NANO) + QUARTER_HOUR_NANO) % QUARTER_HOUR_NANO);
    countsByQuarterHour.set(quarterHour, (countsByQuarterHour.get(quarterHour) ?? 0) + 1);
  }
  const quarterHours = [...countsByQuarterHour].map(([startUnixNano, conversations]) => ({
    startUnixNano,
    conversations,
  }));
  return foldIntoHours(quarterHours, by, timeZone);
}

function sumSessions(traces: readonly Trace[], { window, limit }: SessionsQuestion): SessionSums {
  const started = traces
    .filter(isConversation)
    .map(({ conversation }) => conversation)
    .filter(({ startTimeUnixNano }) => isInWindow(startTimeUnixNano, window));
  return sumBySession(started, limit);
}

function sumUsage(traces: readonly Trace[], { window, by, timeZone }: ModelUsageQuestion): UsageSum[] {
  const sums = new UsageSums();
  for (const { spans, conversation } of traces.filter(isConversation)) {
    const { startTimeUnixNano, sessionId, workflow } = conversation;
    if (!isInWindow(startTimeUnixNano, window)) continue;
    const group = {
      none: () => undefined,
      day: () => localDayOf(startTimeUnixNano, timeZone),
      workflow: () => workflow,
      session: () => sessionId,
    }[by ?? 'none']();
    for (const { role, step = '', provider, model, inputTokens, outputTokens, inputChars, audioSeconds } of spans) {
      const recorded = provider ?? model ?? inputTokens ?? outputTokens ?? inputChars ?? audioSeconds;
      if (role !== 'step' || recorded === undefined) continue;
      sums.add({
        ...(group !== undefined && { group }),
        step,
        ...(model !== undefined && { model }),
        calls: 1,
        ...(inputTokens !== undefined && { inputTokens }),
        ...(outputTokens !== undefined && { outputTokens }),
        ...(inputChars !== undefined && { inputChars }),
        ...(audioSeconds !== undefined && { audioSeconds }),
      });
    }
  }
  return sums.inOrder();
}

/** Failures with the same step, error type and message pattern. */
interface Group {
  count: number;
  latest: Failure;
}

/** The fields of a failed step that identify the latest failure and describe it. */
interface Failure {
  step: string;
  errorType: string | undefined;
  message: string | undefined;
  startTimeUnixNano: bigint;
  traceId: string;
  conversationId: string;
}

function gatherCommonErrors(
  traces: readonly Trace[],
  { window, limit, conversationIds = true }: CommonErrorsQuestion,
): CommonError[] {
  const groups = new Map<string, Group>();
  for (const { traceId, spans, conversation } of traces.filter(isConversation)) {
    for (const { step, outcome, errorType, errorMessage: message, startTimeUnixNano } of spans) {
      if (step === undefined || !isFailure(outcome) || !isInWindow(startTimeUnixNano, window)) continue;
      const conversationId = conversationIds ? conversation.conversationId : traceId;
      const failure = { step, errorType, message, startTimeUnixNano, traceId, conversationId };
      // JSON keeps the three texts apart whatever they contain; an absent one is null.
      const key = JSON.stringify([step, errorType, message === undefined ? undefined : errorPatternOf(message)]);
      const group = groups.get(key);
      if (group === undefined) groups.set(key, { count: 1, latest: failure });
      else {
        group.count += 1;
        if (compareLatestFirst(failure, group.latest) < 0) group.latest = failure;
      }
    }
  }
  return [...groups.values()].map(errorOf).sort(compareErrors).slice(0, limit);
}

function compareLatestFirst(a: Failure, b: Failure): number {
  return (
    compareBigint(b.startTimeUnixNano, a.startTimeUnixNano) ||
    compareText(a.traceId, b.traceId) ||
    compareAbsentLast(a.message, b.message)
  );
}

function errorOf({ count, latest }: Group): CommonError {
  const { step, errorType, message, startTimeUnixNano, conversationId } = latest;
  return {
    step,
    ...(errorType !== undefined && { errorType }),
    ...(message !== undefined && { pattern: errorPatternOf(message), message }),
    count,
    lastSeenUnixNano: startTimeUnixNano,
    conversationId,
  };
}

function compareErrors(a: CommonError, b: CommonError): number {
  return (
    b.count - a.count ||
    compareBigint(b.lastSeenUnixNano, a.lastSeenUnixNano) ||
    compareText(a.step, b.step) ||
    compareAbsentLast(a.errorType, b.errorType) ||
    compareAbsentLast(a.pattern, b.pattern)
  );
}
