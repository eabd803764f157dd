import { type DuckDBConnection, LIST, listValue, UHUGEINT } from '@duckdb/node-api';
import type { SpanStore } from './span-store.ts';
import { sqlFile } from './sql-file.ts';

/** Spans deleted in one transaction at most; appends wait for no longer than that takes. */
const SPANS_PER_DELETE = 50_000;

/**
 * Deletes the oldest conversations, whole: those in which nothing starts at `beforeNs` or later, until about `limit`
 * spans are gone. Returns how many it were.
 */
export async function deleteOldest(
  store: SpanStore,
  beforeNs: bigint,
  limit: number,
  isStopped: () => boolean,
): Promise<number> {
  let deleted = 0;
  let sinceNs = 0n;
  while (deleted < limit && !isStopped()) {
    const rowLimit = Math.min(SPANS_PER_DELETE, limit - deleted);
    const step = await store.read((connection) => planStep(connection, sinceNs, beforeNs, rowLimit));
    if (step === undefined) break;
    deleted += await store.change((connection) => deleteStep(connection, step));
    sinceNs = step.boundaryNs;
  }
  return deleted;
}

/** What one transaction deletes: everything that starts before the boundary, but for the traces that last beyond it. */
interface DeleteStep {
  boundaryNs: bigint;
  lastingIds: bigint[];
}

async function planStep(
  connection: DuckDBConnection,
  sinceNs: bigint,
  beforeNs: bigint,
  rowLimit: number,
): Promise<DeleteStep | undefined> {
  const boundaries = await connection.runAndReadAll(sqlFile('retention-boundary'), {
    since_ns: sinceNs,
    before_ns: beforeNs,
    row_limit: BigInt(rowLimit),
  });
  const boundaryNs = boundaries.getRows()[0]![0] as bigint | null;
  if (boundaryNs === null) return undefined;
  const lasting = await connection.runAndReadAll(sqlFile('lasting-traces'), { boundary_ns: boundaryNs });
  return { boundaryNs, lastingIds: lasting.getRows().map(([traceId]) => traceId as bigint) };
}

async function deleteStep(connection: DuckDBConnection, { boundaryNs, lastingIds }: DeleteStep): Promise<number> {
  const result = await connection.run(
    sqlFile('delete-before'),
    { boundary_ns: boundaryNs, lasting_ids: listValue(lastingIds) },
    { lasting_ids: LIST(UHUGEINT) },
  );
  return result.rowsChanged;
}
