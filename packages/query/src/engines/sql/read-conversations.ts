import { mapInSlices } from '../../concurrency.ts';
import { buildConversation } from '../../model/conversation.ts';
import type { ConversationRecord, Window } from '../../model/conversation.ts';
import { reuseWarnings, samplingWarnings, unrecognisedWarning } from '../../model/coverage.ts';
import type { Coverage, Warning } from '../../model/coverage.ts';
import { millisecondsOf } from '../../model/numbers.ts';
import { CONVERSATIONS_THAT_DECIDE, orderAllSteps } from '../../model/order.ts';
import type { SpanRecord } from '../../model/span-record.ts';
import { isCovered, NOTHING_COVERED } from '../../questions.ts';
import type { CoverageOption } from '../../questions.ts';
import { windowValues } from './sql-store.ts';
import type { SqlRow, SqlStore, TraceKey } from './sql-store.ts';

/** Number of spans per requested conversation that are read first; most have fewer, but others run at the same time. */
const SPANS_PER_CONVERSATION = 64;
/** The same where their number is known, times that of an average conversation: there may be fewer at the end. */
const MARGIN_OF_SPANS = 3;
/** Factor by which the searched range grows if it was not enough. */
const WIDENING_FACTOR = 8;

/** Which conversations to look for. */
export interface NewestQuestion {
  /** Undefined for all time. */
  window: Window | undefined;
  /** Maximum number of conversations. */
  limit: number;
  /** Only conversations with a longer duration than this, in nanoseconds. */
  aboveNano?: bigint | undefined;
}

/** The `limit` newest conversations that start in the window: newest first, then by trace id. */
export async function findNewest(
  store: SqlStore,
  { window, limit, aboveNano = -1n }: NewestQuestion,
): Promise<TraceKey[]> {
  const ask = async (values: Search): Promise<TraceKey[]> => {
    const rows = await store.rows('newest-conversations', { ...values, above_ns: aboveNano });
    return rows.map((row) => row['trace_id'] as TraceKey);
  };
  if (store.startOfNewest !== undefined && !store.isFiltered) return lookBackBySpans(store, { window, limit }, ask);
  const extent = await findRoughExtent(store, window);
  return lookBack(store, { window, limit, extent }, ask);
}

/** The conversations with the trace ids `keys`, in their order. */
export async function readConversations(store: SqlStore, keys: readonly TraceKey[]): Promise<ReadConversation[]> {
  if (keys.length === 0) return [];
  const spansByTrace = new Map<string, SpanRecord[]>(keys.map((key) => [store.readers.traceId(key), []]));
  for (const span of await store.spans('conversation-numbers', { trace_ids: keys })) {
    spansByTrace.get(span.traceId)!.push(span);
  }
  return mapInSlices(spansByTrace.values(), (spans) => ({ conversation: buildConversation(spans)!, spans }));
}

/** Sorts `steps` in step order. `extent` and `coverage` are those of `window`. */
export async function orderStepsOf(
  store: SqlStore,
  window: Window,
  steps: readonly string[],
  { extent, coverage }: { extent: Extent | undefined; coverage: Coverage },
): Promise<string[]> {
  if (steps.length < 2) return [...steps];
  const asked = { window, limit: CONVERSATIONS_THAT_DECIDE, extent, conversations: coverage.conversations };
  const newest = await lookBack(store, asked, async (values) =>
    rowsByTrace(await store.rows('newest-first-starts', { ...values })),
  );
  const offsetsMs = newest.map((rows) => {
    const ofSteps = rows.filter((row) => row['step'] !== null);
    return new Map(ofSteps.map((row) => [row['step'] as string, millisecondsOf(row['offset_ns'] as bigint)]));
  });
  return orderAllSteps(offsetsMs, steps);
}

/** Groups rows by `trace_id`, in the order of first occurrence. */
function rowsByTrace(rows: readonly SqlRow[]): SqlRow[][] {
  const byTrace = new Map<TraceKey, SqlRow[]>();
  for (const row of rows) {
    const key = row['trace_id'] as TraceKey;
    const known = byTrace.get(key);
    if (known === undefined) byTrace.set(key, [row]);
    else known.push(row);
  }
  return [...byTrace.values()];
}

/** Where to search for how many conversations. */
interface Search {
  since_ns: bigint;
  until_ns: bigint;
  row_limit: bigint;
}

/** Like {@link lookBack}, but by the number of spans: at the end of a window there may be far fewer than elsewhere. */
async function lookBackBySpans<Found>(
  store: SqlStore,
  { window, limit }: { window: Window | undefined; limit: number },
  ask: (values: Search) => Promise<Found[]>,
): Promise<Found[]> {
  const values = { ...windowValues(window), row_limit: BigInt(limit) };
  let searched = Math.max(limit * SPANS_PER_CONVERSATION, store.spansSearchedEasily);
  for (;;) {
    const since = await store.startOfNewest!(window, searched);
    const found = await ask({ ...values, since_ns: since ?? values.since_ns });
    if (found.length === limit || since === undefined) return found;
    searched *= WIDENING_FACTOR;
  }
}

/**
 * Searches the end of the window, then further back until there are `limit` conversations. The result is exact, because
 * a conversation is found where it starts. Grouping all spans would take ten times as long.
 */
async function lookBack<Found>(
  { spansSearchedEasily }: SqlStore,
  {
    window,
    limit,
    extent,
    conversations = 0,
  }: { window: Window | undefined; limit: number; extent: Extent | undefined; conversations?: number },
  ask: (values: Search) => Promise<Found[]>,
): Promise<Found[]> {
  if (extent === undefined) return [];
  const { spans, oldestNs: oldest, newestNs: newest } = extent;
  const spansEach = conversations === 0 ? SPANS_PER_CONVERSATION : Math.ceil((spans / conversations) * MARGIN_OF_SPANS);
  const searched = Math.max(limit * spansEach, spansSearchedEasily);
  let width = ((newest - oldest) * BigInt(searched)) / BigInt(spans) + 1n;
  for (;;) {
    const since = newest - width > oldest ? newest - width : oldest;
    const found = await ask({ ...windowValues(window), since_ns: since, row_limit: BigInt(limit) });
    if (found.length === limit || since === oldest) return found;
    width *= BigInt(WIDENING_FACTOR);
  }
}

/** The number of spans that start in a window, and their first and last start in Unix nanoseconds. */
export interface Extent {
  spans: number;
  oldestNs: bigint;
  newestNs: bigint;
}

/** The extent of `window`, or of all time; undefined if no span starts there. */
export function findExtent(store: SqlStore, window: Window | undefined): Promise<Extent | undefined> {
  return readExtent(store, 'extent', window);
}

/** Like {@link findExtent}, but faster: its times and its number of spans may be larger. */
export function findRoughExtent(store: SqlStore, window: Window | undefined): Promise<Extent | undefined> {
  return readExtent(store, 'rough-extent', window);
}

async function readExtent(
  store: SqlStore,
  name: 'extent' | 'rough-extent',
  window: Window | undefined,
): Promise<Extent | undefined> {
  const [row] = await store.rows(name, windowValues(window));
  const spans = Number(row!['spans']);
  if (spans === 0) return undefined;
  return { spans, oldestNs: row!['oldest_ns'] as bigint, newestNs: row!['newest_ns'] as bigint };
}

/**
 * The coverage of a question with a window: the spans that start in it, and the conversations among them.
 * @param knownConversations The number of conversations in it, if already known.
 */
export async function coverWindow(
  store: SqlStore,
  window: Window | undefined,
  knownConversations?: number,
): Promise<{ coverage: Coverage; extent: Extent | undefined }> {
  const conversations = knownConversations ?? (await countSeen(store, window));
  const extent = await findExtent(store, window);
  const programs = await store.rows('sampled-programs', windowValues(window));
  const coverage: Coverage = {
    conversations,
    spans: extent?.spans ?? 0,
    complete: true,
    warnings: samplingWarnings(
      programs.map((row) => ({
        serviceName: (row['service_name'] as string | null) ?? '',
        samplingRatio: row['sampling_ratio'] as number,
      })),
    ),
  };
  if (conversations === 0) coverage.warnings.push(...(await warnUnrecognised(store, window)));
  return { coverage, extent };
}

/** The coverage that `question` asks for. */
export async function coverAsked(store: SqlStore, question: CoverageOption & { window: Window }): Promise<Coverage> {
  return isCovered(question) ? (await coverWindow(store, question.window)).coverage : NOTHING_COVERED;
}

/** Warns if spans start in `window`, but none of them is a step or root. Never warns if there are filters. */
export async function warnUnrecognised(store: SqlStore, window: Window | undefined): Promise<Warning[]> {
  if (store.isFiltered) return [];
  const extent = await findExtent(store, window);
  if (extent === undefined || (await countSeen(store, window)) > 0) return [];
  const rows = await store.rows('unrecognised-spans', windowValues(window));
  const textsOf = (kind: string): string[] =>
    rows.filter((row) => row['kind'] === kind).map((row) => row['text'] as string);
  return [unrecognisedWarning(extent.spans, textsOf('service'), textsOf('name'))];
}

async function countSeen(store: SqlStore, window: Window | undefined): Promise<number> {
  const [row] = await store.rows('coverage', windowValues(window));
  return Number(row!['conversations']);
}

/** A conversation in numbers and its spans, with the fields for statistics and coverage. */
export interface ReadConversation {
  conversation: ConversationRecord;
  spans: SpanRecord[];
}

/** A conversation for coverage. */
export interface CoveredConversation {
  conversationId: string;
  spans: readonly SpanRecord[];
}

/** Coverage of an answer about whole conversations: all of their spans. */
export function coverConversations(conversations: readonly CoveredConversation[]): Coverage {
  return {
    conversations: conversations.length,
    spans: conversations.reduce((sum, { spans }) => sum + spans.length, 0),
    complete: true,
    warnings: [...samplingWarnings(spansOf(conversations)), ...reuseWarnings(conversations)],
  };
}

function* spansOf(conversations: readonly CoveredConversation[]): Iterable<SpanRecord> {
  for (const { spans } of conversations) yield* spans;
}

export function covered({ conversation, spans }: ReadConversation): CoveredConversation {
  return { conversationId: conversation.conversationId, spans };
}
