import type { ConversationRecord } from '../../model/conversation.ts';
import { reuseWarnings, samplingWarnings, unrecognisedWarning } from '../../model/coverage.ts';
import type { Coverage, Warning } from '../../model/coverage.ts';
import type { SpanRecord } from '../../model/span-record.ts';
import type { Window } from '../../model/window.ts';
import { windowValues } from './sql-store.ts';
import type { SqlStore } from './sql-store.ts';

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
  const spans = conversations.flatMap((conversation) => conversation.spans);
  return {
    conversations: conversations.length,
    spans: spans.length,
    complete: true,
    warnings: [...samplingWarnings(spans), ...reuseWarnings(conversations.map(handedOver))],
  };
}

/** A conversation as the warning of ids that were used again looks at it. */
export function handedOver({ conversation, spans }: ReadConversation): {
  conversationId: string;
  spans: readonly SpanRecord[];
} {
  return { conversationId: conversation.conversationId, spans };
}
