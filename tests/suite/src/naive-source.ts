import { isFailure, traceIdOf } from '@convotel/conventions';
import type {
  Answer,
  AttributeCount,
  AttributeValuesQuestion,
  CommonError,
  CommonErrorsQuestion,
  ConversationRecord,
  ConversationCount,
  ConversationCountsQuestion,
  ConversationSource,
  ConversationsQuestion,
  ConversationSpans,
  ModelUsageQuestion,
  Question,
  QuestionName,
  Questions,
  ResponseStatistics,
  ResponseStatisticsQuestion,
  SessionsQuestion,
  SessionSum,
  SessionSums,
  SpanRecord,
  UsageSum,
  Window,
} from '@convotel/query';
import { askEngine, compareText } from '@convotel/query/engine';
import type { Engine } from '@convotel/query/engine';
import {
  ascending,
  contains,
  cover,
  interpolate,
  intervalsIn,
  mean,
  newestFirst,
  patternOf,
  sortKey,
  unrecognisedWarnings,
} from './naive-definitions.ts';
import { groupsOf, valueOf } from './naive-groups.ts';
import { NaiveSpans } from './naive-spans.ts';
import { stepDurations, stepStatistics } from './naive-steps.ts';

const ALL_TIME: Window = { sinceUnixNano: -(2n ** 63n), untilUnixNano: 2n ** 63n };
const MINUTE_NANO = 60_000_000_000n;

/**
 * Answers straight from the definitions, over and over from the bare spans, and with other means than `MemorySource`
 * uses, so that the two do not share their mistakes. Slow.
 */
export class NaiveSource implements ConversationSource {
  readonly kind = 'memory';
  readonly location = 'naive';
  readonly #spans: NaiveSpans;

  constructor(delivered: readonly SpanRecord[]) {
    this.#spans = new NaiveSpans(delivered);
  }

  ask<Name extends QuestionName>(question: Question<Name>): Promise<Answer<Questions[Name]['answer']>> {
    return askEngine(NAIVE_ENGINE, this.#spans, question);
  }

  async close(): Promise<void> {}
}

async function conversation(store: NaiveSpans, conversationId: string): Promise<Answer<ConversationSpans>> {
  const all = newestFirst(store.conversations({}));
  const carrying = all.filter(({ traceId }) =>
    store.ofTrace(traceId).some((span) => span.conversationId === conversationId),
  );
  const found =
    all.find(({ traceId }) => traceId === traceIdOf(conversationId)) ??
    carrying[0] ??
    all.find(({ traceId }) => traceId === conversationId.toLowerCase());
  const spans = store.all
    .filter(({ traceId }) => traceId === found?.traceId)
    .sort((a, b) => compareText(sortKey(a), sortKey(b)));
  return {
    data: {
      spans,
      otherTraceIds: carrying.map(({ traceId }) => traceId).filter((traceId) => traceId !== found?.traceId),
    },
    coverage: store.withReuse(cover(spans), found === undefined ? [] : [found]),
  };
}

async function conversations(
  store: NaiveSpans,
  question: ConversationsQuestion,
): Promise<Answer<ConversationRecord[]>> {
  const { window = ALL_TIME, filters = {}, order, limit, aboveNano = -1n } = question;
  const size = ({ startTimeUnixNano, endTimeUnixNano, responseMs = 0 }: ConversationRecord): bigint =>
    order === 'slowest-response' ? BigInt(Math.round(responseMs * 1e6)) : endTimeUnixNano - startTimeUnixNano;
  const fitting = store
    .conversations(filters)
    .filter((conversation) => contains(window, conversation.startTimeUnixNano))
    .filter(({ outcome }) => order !== 'slowest' || outcome !== 'open')
    .filter(({ responseMs }) => order !== 'slowest-response' || responseMs !== undefined)
    .filter((conversation) => size(conversation) > aboveNano);
  const data = newestFirst(fitting)
    .sort((a, b) => (order === 'newest' ? 0 : ascending(size(b), size(a))))
    .filter((_, index) => index < limit);
  const listed = data.flatMap(({ traceId }) => store.ofTrace(traceId));
  const covered = order === 'newest' ? listed : store.coveredSpans(window, filters);
  const coverage = cover(covered);
  const all = data.length === 0 && Object.keys(filters).length === 0 ? store.coveredSpans(window, filters) : [];
  coverage.warnings.push(...unrecognisedWarnings(all));
  return { data, coverage: store.withReuse(coverage, data) };
}

async function conversationCounts(
  store: NaiveSpans,
  question: ConversationCountsQuestion,
): Promise<Answer<ConversationCount[]>> {
  const { window, filters = {}, by, timeZone } = question;
  const starts = store
    .conversations(filters)
    .map(({ startTimeUnixNano }) => startTimeUnixNano)
    .filter((start) => contains(window, start))
    .sort((a, b) => Number(a > b) - Number(a < b));
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    hourCycle: 'h23',
    dateStyle: 'short',
    timeStyle: 'full',
  });
  const labelOf = (unixNano: bigint): string =>
    format.format(new Date(Number(unixNano / 1_000_000n))).replace(/(\d\d):\d\d:\d\d/, '$1');
  const hourOfDay = (unixNano: bigint): number => Number(/, (\d\d)/.exec(labelOf(unixNano))![1]);
  const hourStart = (unixNano: bigint): bigint => {
    let minute = unixNano - (unixNano % MINUTE_NANO);
    while (labelOf(minute - MINUTE_NANO) === labelOf(unixNano)) minute -= MINUTE_NANO;
    return minute;
  };
  const keys = starts.map((start) => (by === 'hour' ? hourStart(start) : BigInt(hourOfDay(start))));
  const data = [...new Set(keys)]
    .sort((a, b) => Number(a > b) - Number(a < b))
    .map((key) => ({
      ...(by === 'hour' ? { hourUnixNano: key } : { hourOfDay: Number(key) }),
      conversations: keys.filter((other) => other === key).length,
    }));
  return { data, coverage: store.covered(window, filters) };
}

async function responseStatistics(
  store: NaiveSpans,
  question: ResponseStatisticsQuestion,
): Promise<Answer<ResponseStatistics[]>> {
  const { window, filters = {}, quantiles = [], quantileIntervals = false, groupBy } = question;
  const group = groupsOf(store, groupBy);
  const started = store.conversations(filters).filter(({ startTimeUnixNano }) => contains(window, startTimeUnixNano));
  const data = group.names.map((name): ResponseStatistics => {
    const latencies = started
      .filter(({ traceId }) => group.ofConversation(store.ofTrace(traceId)).includes(name))
      .flatMap(({ responseMs }) => (responseMs === undefined ? [] : [responseMs]))
      .sort((a, b) => a - b);
    const figures = { averageMs: mean(latencies), minMs: latencies[0]!, maxMs: latencies.at(-1)! };
    return {
      ...(name !== undefined && { group: name }),
      conversations: latencies.length,
      ...(latencies.length > 0 && figures),
      quantilesMs: latencies.length === 0 ? [] : quantiles.map((rank) => interpolate(latencies, rank)),
      ...(quantileIntervals && { quantileIntervalsMs: intervalsIn(latencies, quantiles) }),
    };
  });
  return {
    data: data.filter(({ conversations: count }) => groupBy === undefined || count > 0),
    coverage: store.covered(window, filters),
  };
}

async function attributeValues(
  store: NaiveSpans,
  question: AttributeValuesQuestion,
): Promise<Answer<AttributeCount[]>> {
  const { window, filters = {}, attribute, step, limit } = question;
  const values = store
    .coveredSpans(window, filters)
    .filter((span) => span.step !== undefined && (step === undefined || span.step === step))
    .flatMap((span) => valueOf(store, span, attribute) ?? []);
  const data = [...new Set(values)]
    .map((value) => ({ value, spans: values.filter((other) => other === value).length }))
    .sort((a, b) => b.spans - a.spans || compareText(a.value, b.value))
    .slice(0, limit);
  return { data, coverage: store.covered(window, filters) };
}

async function commonErrors(store: NaiveSpans, question: CommonErrorsQuestion): Promise<Answer<CommonError[]>> {
  const { window, filters = {}, limit, conversationIds = true } = question;
  const covered = store.coveredSpans(window, filters);
  const failed = covered.filter((span) => span.step !== undefined && isFailure(span.outcome));
  const isAlike = (a: SpanRecord, b: SpanRecord): boolean =>
    a.step === b.step &&
    a.errorType === b.errorType &&
    (a.errorMessage === undefined
      ? b.errorMessage === undefined
      : b.errorMessage !== undefined && patternOf(a.errorMessage) === patternOf(b.errorMessage));
  const data = failed
    .filter((span, index) => failed.findIndex((other) => isAlike(span, other)) === index)
    .map((span): CommonError => {
      const alike = failed.filter((other) => isAlike(span, other));
      const [latest] = alike.sort(
        (a, b) =>
          Number(b.startTimeUnixNano - a.startTimeUnixNano) ||
          compareText(a.traceId, b.traceId) ||
          compareText(a.errorMessage ?? '', b.errorMessage ?? ''),
      );
      return {
        step: span.step!,
        ...(span.errorType !== undefined && { errorType: span.errorType }),
        ...(latest!.errorMessage !== undefined && {
          pattern: patternOf(latest!.errorMessage),
          message: latest!.errorMessage,
        }),
        count: alike.length,
        lastSeenUnixNano: latest!.startTimeUnixNano,
        conversationId: conversationIds ? store.describe(latest!.traceId).conversationId : latest!.traceId,
      };
    })
    .sort(
      (a, b) =>
        b.count - a.count ||
        Number(b.lastSeenUnixNano - a.lastSeenUnixNano) ||
        compareText(a.step, b.step) ||
        compareText(a.errorType ?? '\u{10ffff}', b.errorType ?? '\u{10ffff}') ||
        compareText(a.pattern ?? '\u{10ffff}', b.pattern ?? '\u{10ffff}'),
    )
    .slice(0, limit);
  return { data, coverage: store.covered(window, filters) };
}

async function sessions(store: NaiveSpans, question: SessionsQuestion): Promise<Answer<SessionSums>> {
  const { window, filters = {}, limit } = question;
  const started = store.conversations(filters).filter(({ startTimeUnixNano }) => contains(window, startTimeUnixNano));
  const ids = [...new Set(started.flatMap(({ sessionId }) => sessionId ?? []))];
  const data = ids.map((id): SessionSum => {
    const own = started.filter(({ sessionId }) => sessionId === id);
    const starts = own.map(({ startTimeUnixNano }) => startTimeUnixNano).sort(ascending);
    const steps = own.flatMap(({ traceId }) => store.ofTrace(traceId)).filter(({ role }) => role === 'step');
    const sumOf = (field: 'inputTokens' | 'outputTokens'): Partial<SessionSum> => {
      const tokens = steps.flatMap((span) => span[field] ?? []);
      return tokens.length === 0 ? {} : { [field]: tokens.reduce((sum, each) => sum + each, 0) };
    };
    return {
      sessionId: id,
      conversations: own.length,
      startTimeUnixNano: starts[0]!,
      lastStartUnixNano: starts.at(-1)!,
      endTimeUnixNano: own
        .map(({ endTimeUnixNano }) => endTimeUnixNano)
        .sort(ascending)
        .at(-1)!,
      spokenNano: own.reduce((sum, each) => sum + each.endTimeUnixNano - each.startTimeUnixNano, 0n),
      failures: own.filter(({ outcome }) => ['failed', 'timed_out', 'abandoned'].includes(outcome)).length,
      interruptions: steps.filter(({ outcome }) => outcome === 'interrupted').length,
      ...sumOf('inputTokens'),
      ...sumOf('outputTokens'),
    };
  });
  data.sort((a, b) => ascending(b.lastStartUnixNano, a.lastStartUnixNano) || compareText(a.sessionId, b.sessionId));
  const withoutSession = started.filter(({ sessionId }) => sessionId === undefined).length;
  return {
    data: { sessions: data.slice(0, limit), conversations: started.length, withoutSession },
    coverage: store.covered(window, filters),
  };
}

async function modelUsage(store: NaiveSpans, question: ModelUsageQuestion): Promise<Answer<UsageSum[]>> {
  const { window, filters = {}, by, timeZone } = question;
  const dayOf = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short' });
  const amounts = ['inputTokens', 'outputTokens', 'inputChars', 'audioSeconds'] as const;
  const calls = store
    .conversations(filters)
    .filter(({ startTimeUnixNano }) => contains(window, startTimeUnixNano))
    .flatMap((conversation) => {
      const { startTimeUnixNano, sessionId, workflow } = conversation;
      const day = dayOf.format(new Date(Number(startTimeUnixNano / 1_000_000n)));
      const group = by === undefined ? undefined : { day, session: sessionId, workflow }[by];
      return store
        .ofTrace(conversation.traceId)
        .filter(({ role }) => role === 'step')
        .filter((span) => ['provider', 'model', ...amounts].some((field) => field in span))
        .map((span) => ({ group, span, recorded: amounts.map((name) => `${Math.sign(span[name] ?? -1)}`) }));
    });
  // Higher than any text, for what is absent.
  const last = '\u{10ffff}';
  const keyOf = ({ group = last, span, recorded }: (typeof calls)[number]): string =>
    JSON.stringify([group, span.step, span.model ?? last, recorded.join().replaceAll('-1', '-')]);
  const byKey = new Map(calls.map((call) => [keyOf(call), calls.filter((other) => keyOf(other) === keyOf(call))]));
  const data = [...byKey.values()]
    .map((alike) => ({ ...alike[0]!, alike }))
    .sort(
      (a, b) =>
        compareText(a.group ?? last, b.group ?? last) ||
        compareText(a.span.step!, b.span.step!) ||
        compareText(a.span.model ?? last, b.span.model ?? last) ||
        compareText(a.recorded.join('').replaceAll('-1', '-'), b.recorded.join('').replaceAll('-1', '-')),
    )
    .map(({ group, span, alike }): UsageSum => ({
      ...(group !== undefined && { group }),
      step: span.step!,
      ...(span.model !== undefined && { model: span.model }),
      calls: alike.length,
      ...Object.fromEntries(
        amounts
          .filter((name) => span[name] !== undefined)
          .map((name) => [name, alike.reduce((sum, call) => sum + call.span[name]!, 0)]),
      ),
    }));
  return { data, coverage: store.covered(window, filters) };
}

const NAIVE_ENGINE: Engine<NaiveSpans> = {
  conversation: (store, { conversationId }) => conversation(store, conversationId),
  conversations,
  'step-statistics': stepStatistics,
  'conversation-counts': conversationCounts,
  'response-statistics': responseStatistics,
  'common-errors': commonErrors,
  'step-durations': stepDurations,
  'attribute-values': attributeValues,
  sessions,
  'model-usage': modelUsage,
};
