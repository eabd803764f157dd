import { traceIdOf } from '@convotel/conventions';
import { conversationIdOf } from '../../model/conversation.ts';
import type { ConversationRecord } from '../../model/conversation.ts';
import { reuseWarnings } from '../../model/coverage.ts';
import type { Answer } from '../../model/coverage.ts';
import { namedGroup, noGroup } from '../../model/groups.ts';
import type {
  ConversationCount,
  ConversationCountsQuestion,
  ConversationSpans,
  ConversationsQuestion,
  Engine,
  ModelUsageQuestion,
  ResponseStatistics,
  ResponseStatisticsQuestion,
  SessionsQuestion,
} from '../../questions.ts';
import type { SessionSum, SessionSums } from '../../model/session-sums.ts';
import { UsageSums } from '../../model/usage-sums.ts';
import type { UsageSum } from '../../model/usage-sums.ts';
import { foldIntoHours, localDayOf } from '../../time/instant.ts';
import { millisecondsIn, readQuantiles } from './quantiles.ts';
import {
  coverAsked,
  coverConversations,
  covered,
  coverWindow,
  findNewest,
  readConversations,
  warnUnrecognised,
} from './read-conversations.ts';
import { windowValues } from './sql-store.ts';
import type { SqlRow, SqlStore, TraceKey } from './sql-store.ts';
import { stepAnswers } from './steps.ts';

/**
 * Answers the questions from an SQL database. A dialect provides SQL files, row readers and a connection, and restricts
 * the statements to the spans that pass the question's filters.
 */
export const sqlEngine: Engine<SqlStore> = {
  ...stepAnswers,
  conversation: (store, { conversationId }) => findConversation(store, conversationId),
  conversations: (store, asked) => (asked.order === 'newest' ? listNewest(store, asked) : listLargest(store, asked)),
  'conversation-counts': countConversations,
  'response-statistics': measureResponses,
  sessions: sumSessions,
  'model-usage': sumUsage,
};

const QUARTER_HOUR_NANO = 900_000_000_000n;

const TRACE_ID = /^[0-9a-f]{32}$/;

/** The derived trace, else the newest with the conversation id, else the trace with that trace id. */
async function findConversation(store: SqlStore, conversationId: string): Promise<Answer<ConversationSpans>> {
  const { traceKey, traceId } = store.readers;
  const carriers = await findCarriers(store, conversationId);
  const lowerCase = conversationId.toLowerCase();
  const named = TRACE_ID.test(lowerCase) ? [traceKey(lowerCase)] : [];
  for (const candidate of [traceKey(traceIdOf(conversationId)), ...carriers, ...named]) {
    const spans = await store.spans('conversation-spans', { trace_id: candidate });
    if (!spans.some(({ role }) => role !== 'other')) continue;
    const otherTraceIds = carriers.filter((carrier) => carrier !== candidate).map(traceId);
    return {
      data: { spans, otherTraceIds },
      coverage: coverConversations([{ conversationId: conversationIdOf(spans), spans }]),
    };
  }
  return { data: { spans: [], otherTraceIds: [] }, coverage: coverConversations([]) };
}

/** Conversations with the id whose trace id is not derived from it, newest first; usually none. */
async function findCarriers(store: SqlStore, conversationId: string): Promise<TraceKey[]> {
  const carriers = await store.rows('conversation-carriers', { conversation_id: conversationId });
  if (carriers.length === 0) return [];
  const ordered = await store.rows('conversations-newest-first', {
    trace_ids: carriers.map((row) => row['trace_id'] as TraceKey),
  });
  return ordered.map((row) => row['trace_id'] as TraceKey);
}

async function listNewest(
  store: SqlStore,
  { window, limit, aboveNano }: ConversationsQuestion,
): Promise<Answer<ConversationRecord[]>> {
  const listed = await readConversations(store, await findNewest(store, { window, limit, aboveNano }));
  const coverage = coverConversations(listed.map(covered));
  if (listed.length === 0) coverage.warnings.push(...(await warnUnrecognised(store, window)));
  return { data: listed.map(({ conversation }) => conversation), coverage };
}

async function listLargest(
  store: SqlStore,
  { window, limit, order, aboveNano = -1n }: ConversationsQuestion,
): Promise<Answer<ConversationRecord[]>> {
  const rows = await store.rows('largest-conversations', {
    ...windowValues(window),
    size_order: order,
    above_ns: aboveNano,
    row_limit: BigInt(limit),
  });
  const keys = rows.map((row) => row['trace_id'] as TraceKey | null).filter((key) => key !== null);
  const listed = await readConversations(store, keys);
  const { coverage } = await coverWindow(store, window, Number(rows[0]!['seen']));
  coverage.warnings.push(...reuseWarnings(listed.map(covered)));
  return { data: listed.map(({ conversation }) => conversation), coverage };
}

async function measureResponses(
  store: SqlStore,
  question: ResponseStatisticsQuestion,
): Promise<Answer<ResponseStatistics[]>> {
  const { window, quantiles = [], quantileIntervals: intervals = false, groupBy } = question;
  if (groupBy !== undefined) await store.groupSpans({ window, groupBy });
  const groups = groupBy === undefined ? 1 : noGroup(groupBy.values.length) + 1;
  const values = { ...windowValues(window), groups, no_group: groups > 1 ? 1 << (groups - 1) : 0 };
  const measure = (probabilities: readonly number[]): Promise<SqlRow[]> =>
    store.rows('response-statistics', { ...values, probabilities });
  // Where intervals end is known only after counting, and quantiles are read then.
  const rows = await measure(intervals ? [] : quantiles);
  const groupOf = (row: SqlRow): string => String(row['group_id']);
  const counts = new Map(rows.map((row) => [groupOf(row), Number(row['conversations'])]));
  const measured = await readQuantiles({ probabilities: quantiles, intervals, counts }, async (probabilities) => {
    const read = probabilities === quantiles ? rows : await measure(probabilities);
    return new Map(read.map((row) => [groupOf(row), millisecondsIn(row['quantiles_s'], 1000)]));
  });
  const coverage = await coverAsked(store, question);
  if (rows.length === 0 && groupBy === undefined) {
    return { data: [{ conversations: 0, quantilesMs: [], ...(intervals && { quantileIntervalsMs: [] }) }], coverage };
  }
  const data = rows.map((row): ResponseStatistics => ({
    ...namedGroup(Number(row['group_id']), groupBy),
    conversations: Number(row['conversations']),
    averageMs: (row['average_s'] as number) * 1000,
    minMs: (row['min_s'] as number) * 1000,
    maxMs: (row['max_s'] as number) * 1000,
    ...measured.get(groupOf(row))!,
  }));
  return { data, coverage };
}

/** The database counts per quarter hour of UTC; Node.js, which has the time zones, adds these up. */
async function countConversations(
  store: SqlStore,
  { window, by, timeZone }: ConversationCountsQuestion,
): Promise<Answer<ConversationCount[]>> {
  const rows = await store.rows('conversation-counts', windowValues(window));
  const quarterHours = rows
    .filter((row) => row['quarter_hour'] !== null)
    .map((row) => ({
      startUnixNano: (row['quarter_hour'] as bigint) * QUARTER_HOUR_NANO,
      conversations: Number(row['conversations']),
    }));
  const seen = rows.reduce((sum, row) => sum + Number(row['seen']), 0);
  const { coverage } = await coverWindow(store, window, seen);
  return { data: foldIntoHours(quarterHours, by, timeZone), coverage };
}

async function sumSessions(store: SqlStore, { window, limit }: SessionsQuestion): Promise<Answer<SessionSums>> {
  const rows = await store.rows('sessions', { ...windowValues(window), row_limit: BigInt(limit) });
  const inSession = rows.filter((row) => row['session_id'] !== null);
  const without = rows.find((row) => row['session_id'] === null);
  const conversations = Number(rows[0]?.['all_conversations'] ?? 0);
  const { coverage } = await coverWindow(store, window);
  return {
    data: {
      sessions: inSession.slice(0, limit).map(readSession),
      conversations,
      withoutSession: Number(without?.['conversations'] ?? 0),
    },
    coverage,
  };
}

function readSession(row: SqlRow): SessionSum {
  return {
    sessionId: row['session_id'] as string,
    conversations: Number(row['conversations']),
    startTimeUnixNano: row['first_ns'] as bigint,
    lastStartUnixNano: row['last_start_ns'] as bigint,
    endTimeUnixNano: row['last_ns'] as bigint,
    spokenNano: BigInt(row['spoken_ns'] as bigint | number),
    failures: Number(row['failures']),
    interruptions: Number(row['interruptions']),
    ...numbersIn(row, { inputTokens: 'input_tokens', outputTokens: 'output_tokens' }),
  };
}

const AMOUNT_COLUMNS = {
  inputTokens: 'input_tokens',
  outputTokens: 'output_tokens',
  inputChars: 'input_chars',
  audioSeconds: 'audio_s',
} as const;

/** The database groups days by quarter hour of UTC; Node.js, which has the time zones, adds these up. */
async function sumUsage(store: SqlStore, { window, by, timeZone }: ModelUsageQuestion): Promise<Answer<UsageSum[]>> {
  const sums = new UsageSums();
  const groupOf = (row: SqlRow): string | null => {
    if (by !== 'day') return (by === 'session' ? row['session_id'] : row['workflow']) as string | null;
    return localDayOf((row['quarter_hour'] as bigint) * QUARTER_HOUR_NANO, timeZone);
  };
  await store.rows('model-usage', { ...windowValues(window), by: by ?? '' }, (row) => {
    const [group, model] = [groupOf(row), row['model'] as string | null];
    sums.add({
      ...(group !== null && { group }),
      step: row['step'] as string,
      ...(model !== null && { model }),
      calls: Number(row['calls']),
      ...numbersIn(row, AMOUNT_COLUMNS),
    });
  });
  const { coverage } = await coverWindow(store, window);
  return { data: sums.inOrder(), coverage };
}

/** The numbers in some columns of a row, by field; those that are null are absent. */
function numbersIn<Field extends string>(
  row: SqlRow,
  columns: Readonly<Record<Field, string>>,
): { [Name in Field]?: number } {
  const numbers: { [Name in Field]?: number } = {};
  for (const [field, column] of Object.entries(columns) as [Field, string][]) {
    if (row[column] !== null) numbers[field] = Number(row[column]);
  }
  return numbers;
}
