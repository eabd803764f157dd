import { mapInSlices } from '../../concurrency.ts';
import { buildConversation } from '../../model/conversation.ts';
import type { ConversationRecord, Window } from '../../model/conversation.ts';
import { reuseWarnings, samplingWarnings, unrecognisedWarning } from '../../model/coverage.ts';
import type { Coverage, Warning } from '../../model/coverage.ts';
import { millisecondsOf } from '../../model/numbers.ts';
import { CONVERSATIONS_THAT_DECIDE, orderAllSteps } from '../../model/order.ts';
import type { SpanRecord } from '../../model/span-record.ts';
import { windowValues } from './sql-store.ts';
import type { SqlRow, SqlStore, TraceKey } from './sql-store.ts';

/** Spans looked at first for each conversation asked for; most have fewer. */
const SPANS_PER_CONVERSATION = 16n;
/** By how much to look further back when that was not enough. */
const WIDENING_FACTOR = 8n;

/** Which conversations to look for. */
export interface NewestQuestion {
  /** Everything when absent. */
  window: Window | undefined;
  /** How many. */
  limit: number;
  /** Only conversations that last longer than this many nanoseconds. */
  aboveNano?: bigint | undefined;
}

/** The `limit` newest conversations that start in the window: newest first, then by trace id. */
export async function findNewest(
  store: SqlStore,
  { window, limit, aboveNano = -1n }: NewestQuestion,
): Promise<TraceKey[]> {
  const extent = await findRoughExtent(store, window);
  return lookBack({ window, limit, extent }, async (values) => {
    const rows = await store.rows('newest-conversations', { ...values, above_ns: aboveNano });
    return rows.map((row) => row['trace_id'] as TraceKey);
  });
}

/** The conversations with the trace ids `keys`, in their order. */
export async function readConversations(store: SqlStore, keys: readonly TraceKey[]): Promise<ReadConversation[]> {
  if (keys.length === 0) return [];
  const spansByKey = new Map<TraceKey, SpanRecord[]>(keys.map((key) => [key, []]));
  await store.rows('conversation-numbers', { trace_ids: keys }, (row) => {
    spansByKey.get(row['trace_id'] as TraceKey)!.push(store.readers.span(row));
  });
  return mapInSlices(spansByKey.values(), (spans) => ({ conversation: buildConversation(spans)!, spans }));
}

/** `steps` in step order. `extent` is that of `window`. */
export async function orderStepsOf(
  store: SqlStore,
  window: Window,
  steps: readonly string[],
  extent: Extent | undefined,
): Promise<string[]> {
  if (steps.length < 2) return [...steps];
  const newest = await lookBack({ window, limit: CONVERSATIONS_THAT_DECIDE, extent }, async (values) =>
    rowsByTrace(await store.rows('newest-first-starts', values)),
  );
  const offsetsMs = newest.map((rows) => {
    const ofSteps = rows.filter((row) => row['step'] !== null);
    return new Map(ofSteps.map((row) => [row['step'] as string, millisecondsOf(row['offset_ns'] as bigint)]));
  });
  return orderAllSteps(offsetsMs, steps);
}

/** Rows grouped by their `trace_id`, in the order in which each trace comes first. */
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

/**
 * Asks about the end of the window, and further back until there are `limit` conversations: one that starts there is
 * found there, so what has been found is exact, and grouping everything would take ten times as long.
 */
async function lookBack<Found>(
  { window, limit, extent }: { window: Window | undefined; limit: number; extent: Extent | undefined },
  ask: (values: { since_ns: bigint; until_ns: bigint; row_limit: bigint }) => Promise<Found[]>,
): Promise<Found[]> {
  if (extent === undefined) return [];
  const { spans, oldestNs: oldest, newestNs: newest } = extent;
  let width = ((newest - oldest) * BigInt(limit) * SPANS_PER_CONVERSATION) / BigInt(spans) + 1n;
  for (;;) {
    const since = newest - width > oldest ? newest - width : oldest;
    const found = await ask({ ...windowValues(window), since_ns: since, row_limit: BigInt(limit) });
    if (found.length === limit || since === oldest) return found;
    width *= WIDENING_FACTOR;
  }
}

/** How many spans start in a window, and from when to when, in Unix nanoseconds. */
export interface Extent {
  spans: number;
  oldestNs: bigint;
  newestNs: bigint;
}

/** The extent of `window`, or of everything; undefined where nothing starts. */
export function findExtent(store: SqlStore, window: Window | undefined): Promise<Extent | undefined> {
  return readExtent(store, 'extent', window);
}

/** The same, quicker: its times may be wider, and its spans more than what the question sees. */
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
 * What the answer to a question with a window rests on: the spans that start in it, and the conversations among them.
 * @param knownConversations How many conversations there are in it, where that is known already.
 */
export async function coverWindow(
  store: SqlStore,
  window: Window | undefined,
  knownConversations?: number,
): Promise<{ coverage: Coverage; extent: Extent | undefined }> {
  const extent = await findExtent(store, window);
  const conversations = knownConversations ?? (await countSeen(store, window));
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

/** Warns where there are spans that start in `window`, but no step or root among them; none where there are filters. */
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

/** A conversation in numbers, and the spans that they were made of, with the fields that numbers and coverage need. */
export interface ReadConversation {
  conversation: ConversationRecord;
  spans: SpanRecord[];
}

/** Coverage of an answer that rests on whole conversations: all of their spans. */
export function coverConversations(conversations: readonly ReadConversation[]): Coverage {
  return {
    conversations: conversations.length,
    spans: conversations.reduce((sum, { spans }) => sum + spans.length, 0),
    complete: true,
    warnings: [...samplingWarnings(spansOf(conversations)), ...reuseWarnings(conversations.map(handedOver))],
  };
}

function* spansOf(conversations: readonly ReadConversation[]): Iterable<SpanRecord> {
  for (const { spans } of conversations) yield* spans;
}

/** A conversation as the warning of ids that were used again looks at it. */
export function handedOver({ conversation, spans }: ReadConversation): {
  conversationId: string;
  spans: readonly SpanRecord[];
} {
  return { conversationId: conversation.conversationId, spans };
}
