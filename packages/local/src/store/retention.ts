import {
  type DuckDBConnection,
  type DuckDBType,
  type DuckDBValue,
  LIST,
  listValue,
  UBIGINT,
  UHUGEINT,
} from '@duckdb/node-api';
import { sqlFile, transaction } from './database.ts';
import type { SpanStore } from './span-store.ts';
import { noteUnreclaimed } from './upkeep-row.ts';

/** Most spans deleted in one transaction, which appends may have to wait for. */
const SPANS_PER_DELETE = 50_000;
/** Largest share of all conversations that one run deletes for their age. */
export const MAX_SHARE_BY_AGE = 0.1;
/** A conversation larger than this share of the allowed size is not kept whole. */
const WHOLE_SHARE = 0.1;

/**
 * Nothing is deleted up to this factor of the allowed size, so that a block more or less does not trigger another
 * round.
 */
const SIZE_TOLERANCE = 1.02;
/**
 * Deleting for size goes down to this share of the allowed size, so that the next span does not trigger another round.
 */
const SIZE_TARGET = 0.97;
/** Spans that arrive while space is made may fill the store up to this factor of the allowed size. */
const MAX_SIZE_FACTOR = 1.05;
/** Most of the allowed size that is kept free for spans that arrive while space is made. */
const MAX_RESERVE_SHARE = 0.29;
/** How long the first round of making space is expected to take. */
const FIRST_CYCLE_MS = 2_000;
/** Weight in the mean speed of a measurement over one interval. */
const GROWTH_WEIGHT = 0.3;

/** Measures how fast a store grows, and decides when to make space for that. */
export class Growth {
  /** How long the last round of deleting and rewriting took. */
  cycleMs = FIRST_CYCLE_MS;
  readonly #lookMs: number;
  #bytesPerMs = 0;
  #lastMs: number | undefined;

  /** @param lookMs - Interval of the measurements. */
  constructor(lookMs: number) {
    this.#lookMs = lookMs;
  }

  get bytesPerSecond(): number {
    return this.#bytesPerMs * 1_000;
  }

  /** @param bytes - The space that the spans take that have arrived since the last call, deleted since or not. */
  observe(bytes: number, atMs: number): void {
    const elapsedMs = Math.max(atMs - (this.#lastMs ?? atMs), 0);
    this.#lastMs = atMs;
    if (elapsedMs === 0) return;
    // On a busy machine two calls may follow at once: one span within a millisecond does not mean a thousand a second.
    const weight = 1 - (1 - GROWTH_WEIGHT) ** (elapsedMs / this.#lookMs);
    this.#bytesPerMs += weight * (bytes / elapsedMs - this.#bytesPerMs);
  }

  /**
   * At how many bytes to start making space, and down to how many. Spans arrive meanwhile: the faster they do, the
   * earlier it starts, and the more space it makes.
   */
  boundsFor(maxBytes: number): { fromBytes: number; untilBytes: number } {
    const expected = (this.#bytesPerMs * (this.cycleMs + this.#lookMs)) / maxBytes;
    const reserve = Math.min(expected, MAX_RESERVE_SHARE);
    const from = Math.min(SIZE_TOLERANCE, MAX_SIZE_FACTOR - reserve);
    return { fromBytes: maxBytes * from, untilBytes: maxBytes * Math.min(SIZE_TARGET, from - reserve) };
  }
}

/**
 * The last span that is deleted, in order of the ends and, where these are equal, of the ids: many conversations may end
 * at one instant, and not all of them need to go then.
 */
export interface Boundary {
  /** In Unix nanoseconds. */
  endNs: bigint;
  traceId: bigint;
  spanId: bigint;
}

/** After all spans of a trace. */
const LAST_SPAN_ID = 2n ** 64n - 1n;

/** What has been deleted, or is going to be. */
export interface Deletion {
  /** Conversations that are deleted whole. */
  conversations: number;
  spans: number;
  /** Conversations too large to be kept whole, which lose their oldest spans. */
  shortened: number;
  /** Everything deleted ended by then, in Unix nanoseconds. */
  endNs: bigint;
}

/** Which conversations have become too old. */
export interface DueByAge {
  conversations: number;
  due: number;
  /** One run deletes what is not after this; undefined when nothing is due. */
  boundary: Boundary | undefined;
}

/** Counts the conversations that ended before `beforeNs`, and finds those of them that one run may delete. */
export async function findDueByAge(store: SpanStore, beforeNs: bigint): Promise<DueByAge> {
  const count = (limit: number): Promise<DueByAge> =>
    store.read(async (connection) => {
      const [row] = await rowsOf(connection, 'retention-due', { before_ns: beforeNs, row_limit: BigInt(limit) });
      return {
        conversations: Number(row!['conversations']),
        due: Number(row!['due']),
        boundary: boundaryOf({ ...row, boundary_span_id: LAST_SPAN_ID }),
      };
    });
  const all = await count(1);
  if (all.due === 0) return all;
  const limit = Math.max(1, Math.floor(all.conversations * MAX_SHARE_BY_AGE));
  return count(Math.min(limit, all.due));
}

/**
 * What to delete to bring the store down to `untilBytes` of the allowed `maxBytes`; undefined when nothing can be
 * deleted.
 */
export async function findExcess(
  store: SpanStore,
  { usedBytes, untilBytes, maxBytes }: { usedBytes: number; untilBytes: number; maxBytes: number },
): Promise<{ boundary: Boundary; largeIds: bigint[] } | undefined> {
  return store.read(async (connection) => {
    const [row] = await rowsOf(connection, 'retention-boundary', {
      share: 1 - untilBytes / usedBytes,
      whole_share: (maxBytes / usedBytes) * WHOLE_SHARE,
    });
    const boundary = boundaryOf(row!);
    const largeIds = (row!['large_ids'] as { items: readonly bigint[] } | null)?.items ?? [];
    return boundary && { boundary, largeIds: [...largeIds] };
  });
}

function boundaryOf(row: Record<string, unknown>): Boundary | undefined {
  const endNs = row['boundary_ns'] as bigint | null;
  if (endNs === null) return undefined;
  return { endNs, traceId: row['boundary_trace_id'] as bigint, spanId: row['boundary_span_id'] as bigint };
}

/**
 * Deletes the conversations whose last span is not after `boundary`, and of those in `largeIds` only the spans that are
 * not; in small transactions, between which spans are accepted. Spans that arrive for one of them meanwhile stay.
 * @param nowMs - Recorded as the time since when the file holds deleted rows.
 */
export async function deleteEnded(
  store: SpanStore,
  boundary: Boundary,
  largeIds: readonly bigint[],
  nowMs: number,
  isStopped: () => boolean,
): Promise<Deletion> {
  const ids = (traceIds: readonly bigint[]): ReturnType<typeof listValue> => listValue([...traceIds]);
  const types = {
    lasting_ids: LIST(UHUGEINT),
    large_ids: LIST(UHUGEINT),
    boundary_trace_id: UHUGEINT,
    boundary_span_id: UBIGINT,
  };
  const until = {
    boundary_ns: boundary.endNs,
    boundary_trace_id: boundary.traceId,
    boundary_span_id: boundary.spanId,
  };
  const plan = await store.read(async (connection) => {
    const large = { large_ids: ids(largeIds) };
    const lasting = await rowsOf(connection, 'lasting-traces', { ...until, ...large }, types);
    const lastingIds = lasting.map((row) => row['trace_id'] as bigint);
    const values = { ...until, ...large, lasting_ids: ids(lastingIds) };
    const [counts] = await rowsOf(connection, 'doomed-conversations', values, types);
    return { lastingIds, conversations: Number(counts!['conversations']), shortened: Number(counts!['shortened']) };
  });

  let spans = 0;
  let sinceNs = -1n;
  while (!isStopped()) {
    const untilNs = await store.read(async (connection) => {
      const values = { since_ns: sinceNs, boundary_ns: boundary.endNs, row_limit: BigInt(SPANS_PER_DELETE) };
      return (await rowsOf(connection, 'next-starts', values))[0]!['until_ns'] as bigint | null;
    });
    if (untilNs === null) break;
    spans += await store.change((connection) =>
      transaction(connection, async () => {
        await noteUnreclaimed(connection, nowMs);
        const values = { ...until, until_ns: untilNs, lasting_ids: ids(plan.lastingIds) };
        return (await connection.run(sqlFile('delete-ended'), values, typesOf(values, types))).rowsChanged;
      }),
    );
    sinceNs = untilNs;
  }
  return { conversations: plan.conversations, shortened: plan.shortened, spans, endNs: boundary.endNs };
}

async function rowsOf(
  connection: DuckDBConnection,
  name: string,
  values: Record<string, DuckDBValue>,
  types: Readonly<Record<string, DuckDBType>> = {},
): Promise<Record<string, unknown>[]> {
  return (await connection.runAndReadAll(sqlFile(name), values, typesOf(values, types))).getRowObjects();
}

/** DuckDB takes types only for parameters that it is given. */
function typesOf(values: object, types: Readonly<Record<string, DuckDBType>>): Record<string, DuckDBType> {
  return Object.fromEntries(Object.entries(types).filter(([name]) => name in values));
}
