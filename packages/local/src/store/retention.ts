import { type DuckDBConnection, LIST, listValue, UHUGEINT } from '@duckdb/node-api';
import { noteUnreclaimed } from './copies.ts';
import { sqlFile, transaction } from './database.ts';
import type { SpanStore } from './span-store.ts';

/** Spans deleted in one transaction at most; appends wait for no longer than that takes. */
const SPANS_PER_DELETE = 50_000;
/** Of all conversations, how many one run deletes for their age at most. */
export const MAX_SHARE_BY_AGE = 0.1;
/** A conversation larger than this share of the size allowed is not kept whole. */
const WHOLE_SHARE = 0.1;

/** Up to this factor of the size allowed nothing is deleted, so that a block more or less does not start it again. */
const SIZE_TOLERANCE = 1.02;
/** How much of the size allowed is left after deleting for size, so that the next span does not start it again. */
const SIZE_TARGET = 0.97;
/** What comes while space is made may fill the store up to this factor of the size allowed. */
const MAX_SIZE_FACTOR = 1.08;
/** For what comes while space is made, no more than this share of the size allowed is kept free. */
const MAX_RESERVE_SHARE = 0.3;
/** How long making space is expected to take before it has been done once. */
const FIRST_CYCLE_MS = 2_000;
/** How much the last look counts in the mean speed. */
const GROWTH_WEIGHT = 0.3;

/** How fast a store grows, and from when on space is to be made for that. */
export class Growth {
  /** How long the last round of deleting and rewriting took. */
  cycleMs = FIRST_CYCLE_MS;
  readonly #lookMs: number;
  #bytesPerMs = 0;
  #lastMs: number | undefined;

  /** @param lookMs - How often it is looked at. */
  constructor(lookMs: number) {
    this.#lookMs = lookMs;
  }

  get bytesPerSecond(): number {
    return this.#bytesPerMs * 1_000;
  }

  /** @param bytes - What has come since the last call, deleted since or not. */
  observe(bytes: number, atMs: number): void {
    const elapsedMs = atMs - (this.#lastMs ?? atMs);
    this.#lastMs = atMs;
    if (elapsedMs > 0) this.#bytesPerMs += GROWTH_WEIGHT * (bytes / elapsedMs - this.#bytesPerMs);
  }

  /**
   * From how many bytes on space is made, and down to how many. Spans come while it is made: the faster they do, the earlier
   * it starts, and the more it makes.
   */
  boundsFor(maxBytes: number): { fromBytes: number; untilBytes: number } {
    const expected = (this.#bytesPerMs * (this.cycleMs + this.#lookMs)) / maxBytes;
    const reserve = Math.min(expected, MAX_RESERVE_SHARE);
    const from = Math.min(SIZE_TOLERANCE, MAX_SIZE_FACTOR - reserve);
    return { fromBytes: maxBytes * from, untilBytes: maxBytes * Math.min(SIZE_TARGET, from - reserve) };
  }
}

/** What has been deleted, or is going to be. */
export interface Deletion {
  /** Whole ones. */
  conversations: number;
  spans: number;
  /** Conversations too large to be kept whole, which have lost their oldest spans. */
  shortened: number;
  /** Everything deleted ended by then, in Unix nanoseconds. */
  boundaryNs: bigint;
}

/** Which conversations have become too old. */
export interface DueByAge {
  conversations: number;
  due: number;
  /** What one run may delete ends by then; undefined when nothing is due. */
  boundaryNs: bigint | undefined;
}

/** Counts the conversations that ended before `beforeNs`, and finds those of them that one run may delete. */
export async function findDueByAge(store: SpanStore, beforeNs: bigint): Promise<DueByAge> {
  const count = (limit: number): Promise<DueByAge> =>
    store.read(async (connection) => {
      const [row] = await rowsOf(connection, 'retention-due', { before_ns: beforeNs, row_limit: BigInt(limit) });
      const boundaryNs = row!['limit_end_ns'] as bigint | null;
      return {
        conversations: Number(row!['conversations']),
        due: Number(row!['due']),
        boundaryNs: boundaryNs ?? undefined,
      };
    });
  const all = await count(1);
  if (all.due === 0) return all;
  const limit = Math.max(1, Math.floor(all.conversations * MAX_SHARE_BY_AGE));
  return count(Math.min(limit, all.due));
}

/** What has to go for the store to take `untilBytes` of the `maxBytes` allowed; undefined when nothing can. */
export async function findExcess(
  store: SpanStore,
  { usedBytes, untilBytes, maxBytes }: { usedBytes: number; untilBytes: number; maxBytes: number },
): Promise<{ boundaryNs: bigint; largeIds: bigint[] } | undefined> {
  return store.read(async (connection) => {
    const [{ weight } = {}] = await rowsOf(connection, 'retention-weight', {});
    const total = weight as number;
    const [row] = await rowsOf(connection, 'retention-boundary', {
      weight: total * (1 - untilBytes / usedBytes),
      whole_weight: ((total * maxBytes) / usedBytes) * WHOLE_SHARE,
    });
    const boundaryNs = row!['boundary_ns'] as bigint | null;
    const largeIds = (row!['large_ids'] as { items: readonly bigint[] } | null)?.items ?? [];
    return boundaryNs === null ? undefined : { boundaryNs, largeIds: [...largeIds] };
  });
}

/**
 * Deletes the conversations that ended by `boundaryNs`, whole, and of those in `largeIds` the spans that did; in small
 * steps, between which spans are taken. What is sent for one of them meanwhile stays.
 * @param nowMs - Written down as the time from when on the file holds deleted rows.
 */
export async function deleteEnded(
  store: SpanStore,
  boundaryNs: bigint,
  largeIds: readonly bigint[],
  nowMs: number,
  isStopped: () => boolean,
): Promise<Deletion> {
  const ids = (traceIds: readonly bigint[]): ReturnType<typeof listValue> => listValue([...traceIds]);
  const types = { lasting_ids: LIST(UHUGEINT), large_ids: LIST(UHUGEINT) };
  const plan = await store.read(async (connection) => {
    const large = { large_ids: ids(largeIds) };
    const lasting = await rowsOf(connection, 'lasting-traces', { boundary_ns: boundaryNs, ...large }, types);
    const lastingIds = lasting.map((row) => row['trace_id'] as bigint);
    const values = { boundary_ns: boundaryNs, ...large, lasting_ids: ids(lastingIds) };
    const [counts] = await rowsOf(connection, 'doomed-conversations', values, types);
    return { lastingIds, conversations: Number(counts!['conversations']), shortened: Number(counts!['shortened']) };
  });

  let spans = 0;
  let sinceNs = -1n;
  while (!isStopped()) {
    const untilNs = await store.read(async (connection) => {
      const values = { since_ns: sinceNs, boundary_ns: boundaryNs, row_limit: BigInt(SPANS_PER_DELETE) };
      return (await rowsOf(connection, 'next-starts', values))[0]!['until_ns'] as bigint | null;
    });
    if (untilNs === null) break;
    spans += await store.change((connection) =>
      transaction(connection, async () => {
        await noteUnreclaimed(connection, nowMs);
        const values = { until_ns: untilNs, boundary_ns: boundaryNs, lasting_ids: ids(plan.lastingIds) };
        return (await connection.run(sqlFile('delete-ended'), values, { lasting_ids: LIST(UHUGEINT) })).rowsChanged;
      }),
    );
    sinceNs = untilNs;
  }
  return { conversations: plan.conversations, shortened: plan.shortened, spans, boundaryNs };
}

async function rowsOf(
  connection: DuckDBConnection,
  name: string,
  values: Parameters<DuckDBConnection['runAndReadAll']>[1],
  types?: Parameters<DuckDBConnection['runAndReadAll']>[2],
): Promise<Record<string, unknown>[]> {
  // Types are named only for the parameters that there are.
  const given = Object.keys(values ?? {});
  const used = types && Object.fromEntries(Object.entries(types).filter(([parameter]) => given.includes(parameter)));
  return (await connection.runAndReadAll(sqlFile(name), values, used)).getRowObjects();
}
