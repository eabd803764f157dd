import { isFailure } from '@convotel/conventions';
import { QueryError } from '../errors.ts';
import { counted, findAll, findingRule, roughDurationWords } from '../findings/finding.ts';
import { compareByStart, EARLIEST_UNIX_NANO, LATEST_UNIX_NANO } from '../model/conversation.ts';
import type { ConversationRecord, Window } from '../model/conversation.ts';
import { withWarning } from '../model/coverage.ts';
import type { Answer, Coverage } from '../model/coverage.ts';
import { millisecondsOf } from '../model/numbers.ts';
import { compareBigint } from '../model/order.ts';
import { hasFailed, sumSession } from '../model/session-sums.ts';
import { MAX_QUESTION_LIMIT } from '../questions.ts';
import type { ConversationSource } from '../questions.ts';
import { conversationRow } from './recent.ts';
import type { ConversationRow } from './recent.ts';
import { ordered, spearman } from './rank-correlation.ts';
import { spearmanProbability } from './intervals.ts';
import { buildReport, checkTimeZone, coverageOfSameSpans } from './report.ts';
import type { Report } from './report.ts';
import { sessionRow } from './sessions.ts';
import type { SessionRow } from './sessions.ts';

/** Options of {@link session}. */
export interface SessionOptions {
  sessionId: string;
  /** IANA time zone of times in the report; included in it. */
  timeZone: string;
}

/** A conversation of a session. */
export interface SessionConversation extends ConversationRow {
  /** Start − the session's start. */
  offsetMs: number;
  /** From the latest end of the previous conversations to its start; 0 for the first one or if they overlap. */
  pauseMs: number;
  /** Of the failed step, for the first 20 failed conversations. */
  errorType?: string;
  errorMessage?: string;
}

/** The data of `session`: its numbers, and its conversations by start. */
export interface SessionDetail extends Omit<SessionRow, 'conversations'> {
  conversations: SessionConversation[];
}

/** Maximum number of failures whose error is read. */
const ERRORS_READ = 20;

/**
 * One session: its conversations by start, the pauses between them, and their errors. Reads up to a million
 * conversations.
 * @throws `QueryError` `OPTION_OUT_OF_RANGE`, `NO_SUCH_CONVERSATION` if no conversation has that session;
 *   `SourceError` if the source cannot answer.
 */
export async function session(
  source: ConversationSource,
  options: SessionOptions,
): Promise<Report<'session', SessionDetail>> {
  const { sessionId, timeZone } = options;
  checkTimeZone(timeZone);

  const { data, coverage } = await readSession(source, sessionId);
  if (data.length === 0) {
    const text = `no conversation of a session ${JSON.stringify(sessionId)} in ${source.location}; "sessions" lists the newest ones`;
    throw new QueryError('NO_SUCH_CONVERSATION', text);
  }
  const byStart = data.toSorted(
    (a, b) => compareBigint(a.startTimeUnixNano, b.startTimeUnixNano) || (a.traceId < b.traceId ? -1 : 1),
  );
  const errors = new Map<string, ErrorFound>();
  for (const failed of byStart.filter(hasFailed).slice(0, ERRORS_READ)) {
    errors.set(failed.traceId, await findError(source, failed));
  }
  const { conversations: _count, ...numbers } = sessionRow(sumSession(sessionId, byStart));
  const detail: SessionDetail = { ...numbers, conversations: onOneAxis(byStart, errors) };
  return buildReport({
    command: 'session',
    source,
    timeZone,
    coverage,
    data: detail,
    findings: findAll(sessionRules, { detail }),
  });
}

/** Maximum number of conversations that are read. */
const MAX_CONVERSATIONS = 1_000_000;

/**
 * The conversations of a session, newest first. Reads page by page, because the rows of one question are limited. Pages
 * overlap at one instant, whose conversations are in the answer once.
 */
async function readSession(source: ConversationSource, sessionId: string): Promise<Answer<ConversationRecord[]>> {
  const filters = { session: sessionId };
  const page = { name: 'conversations', order: 'newest', limit: MAX_QUESTION_LIMIT, filters } as const;
  const whole = { sinceUnixNano: EARLIEST_UNIX_NANO, untilUnixNano: LATEST_UNIX_NANO };
  const read: ConversationRecord[] = [];
  const coverages: Coverage[] = [];
  let isCutOff = false;
  let seenAtEdge = new Set<string>();
  for (let window: Window | undefined; ;) {
    const { data, coverage } = await source.ask({ ...page, ...(window && { window }) });
    coverages.push(coverage);
    for (const conversation of data) if (!seenAtEdge.has(conversation.traceId)) read.push(conversation);
    const oldest = data.at(-1)?.startTimeUnixNano;
    if (oldest === undefined || data.length < MAX_QUESTION_LIMIT) break;
    seenAtEdge = new Set(data.filter((each) => each.startTimeUnixNano === oldest).map(({ traceId }) => traceId));
    // If a whole page starts at one instant, there may be more conversations at that instant than one question can
    // return.
    const isOneInstant = seenAtEdge.size === data.length;
    isCutOff ||= isOneInstant || read.length >= MAX_CONVERSATIONS;
    window = { ...whole, untilUnixNano: isOneInstant ? oldest : oldest + 1n };
    if (read.length >= MAX_CONVERSATIONS || window.untilUnixNano <= whole.sinceUnixNano) break;
  }
  // Pages overlap, so their counts cannot be added up. Any question about the session has the right coverage.
  if (coverages.length > 1) {
    coverages.unshift((await source.ask({ name: 'common-errors', window: whole, filters, limit: 1 })).coverage);
  }
  const all = coverageOfSameSpans(...(coverages as [Coverage, ...Coverage[]]));
  return { data: read, coverage: isCutOff ? onlyNewest(all, read.length) : all };
}

/** `coverage` with the warning that only the newest conversations were read. */
function onlyNewest(coverage: Coverage, read: number): Coverage {
  const text = `only the newest ${read} conversations of the session were read`;
  return { ...withWarning(coverage, { code: 'only-newest', text }), complete: false };
}

interface ErrorFound {
  errorType?: string;
  errorMessage?: string;
}

/** The error of the failed step of the conversation. */
async function findError(source: ConversationSource, { traceId, failedStep }: ConversationRecord): Promise<ErrorFound> {
  const { data } = await source.ask({ name: 'conversation', conversationId: traceId });
  const failed = data.spans
    .filter(({ step, depth, outcome }) => step === failedStep && depth === 0 && isFailure(outcome))
    .sort(compareByStart)
    .at(-1);
  return {
    ...(failed?.errorType !== undefined && { errorType: failed.errorType }),
    ...(failed?.errorMessage !== undefined && { errorMessage: failed.errorMessage }),
  };
}

function onOneAxis(
  byStart: readonly ConversationRecord[],
  errors: ReadonlyMap<string, ErrorFound>,
): SessionConversation[] {
  const startUnixNano = byStart[0]!.startTimeUnixNano;
  let endUnixNano = startUnixNano;
  return byStart.map((conversation) => {
    const pauseNano = conversation.startTimeUnixNano - endUnixNano;
    if (conversation.endTimeUnixNano > endUnixNano) endUnixNano = conversation.endTimeUnixNano;
    return {
      ...conversationRow(conversation),
      offsetMs: millisecondsOf(conversation.startTimeUnixNano - startUnixNano),
      pauseMs: pauseNano > 0n ? millisecondsOf(pauseNano) : 0,
      ...errors.get(conversation.traceId),
    };
  });
}

/** Input of the finding rules of `session`. */
export interface SessionFacts {
  detail: SessionDetail;
}

/** Minimum number of response latencies for a trend. */
const RESPONSES_FOR_TREND = 6;

/** Minimum ratio of the last third to the first third. */
const GROWS_FROM_TIMES = 1.25;

/** Significance level for a trend. */
const SIGNIFICANCE_LEVEL = 0.05;

/** The response latency grows during the session, as with a message history that grows with every answer. */
export const growingResponse = findingRule('growing-response', ({ detail }: SessionFacts) => {
  const waits = Float64Array.from(detail.conversations.flatMap(({ responseMs }) => responseMs ?? []));
  if (waits.length < RESPONSES_FOR_TREND) return [];
  const { rho } = spearman(ordered(Float64Array.from(waits.keys())), ordered(waits));
  const third = Math.floor(waits.length / 3);
  const [firstMs, lastMs] = [meanOf(waits.subarray(0, third)), meanOf(waits.subarray(-third))];
  const isTrend = rho !== null && rho > 0 && spearmanProbability(rho, waits.length) < SIGNIFICANCE_LEVEL;
  if (!isTrend || lastMs < firstMs * GROWS_FROM_TIMES) return [];
  const times = `${roughDurationWords(firstMs)} in the first ${third}, ${roughDurationWords(lastMs)} in the last ${third}`;
  const text = `Response latency grows over the session: ${times} of ${waits.length} conversations`;
  return [{ severity: 'warning', text, evidence: { conversations: waits.length, firstMs, lastMs, spearman: rho } }];
});

/** How many conversations of the session failed, and at which steps. */
export const failedConversations = findingRule('failed-conversations', ({ detail }: SessionFacts) => {
  const failed = detail.conversations.filter(hasFailed);
  if (failed.length === 0) return [];
  const steps = [...new Set(failed.flatMap(({ failedStep }) => failedStep ?? []))];
  const where = steps.length === 0 ? '' : ` (${steps.join(', ')})`;
  const total = counted(detail.conversations.length, 'conversation');
  const text = `${failed.length} of ${total} failed${where}`;
  return [{ severity: 'problem', text, evidence: { failures: failed.length, steps } }];
});

/** The findings of `session`, in the order in which they are printed. */
export const sessionRules = [growingResponse, failedConversations];

function meanOf(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
