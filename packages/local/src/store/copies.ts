import { isDeepStrictEqual } from 'node:util';
import { BIGINT, type DuckDBConnection, LIST, listValue, UBIGINT, UHUGEINT } from '@duckdb/node-api';
import type { SpanRecord } from '@convotel/query';
import { copyKeyOf, EARLIEST_UNIX_NANO, LATEST_UNIX_NANO, supersedes } from '@convotel/query/engine';
import { idNumber } from './columns.ts';
import { sqlFile, transaction } from './database.ts';
import type { KnownSpanIds } from './known-span-ids.ts';
import { readSpans } from './span-rows.ts';
import { noteUnreclaimed } from './upkeep-row.ts';

/** What to write so that every span is stored once. */
export interface Deduplicated {
  /** Spans to insert. */
  inserted: SpanRecord[];
  /** Those of `inserted` that replace a stored copy, which must be deleted first. */
  replacing: SpanRecord[];
}

/**
 * Keeps one copy of each span, among `spans` and the stored ones. Only spans that `known` reports as known are looked
 * up; all are added to it.
 */
export async function deduplicate(
  spans: readonly SpanRecord[],
  known: KnownSpanIds,
  connection: DuckDBConnection,
): Promise<Deduplicated> {
  const inserted: SpanRecord[] = [];
  const suspects: SpanRecord[] = [];
  for (const span of spans) {
    if (known.addHex(span.traceId, span.spanId)) inserted.push(span);
    else suspects.push(span);
  }
  if (suspects.length === 0) return { inserted, replacing: [] };

  const indexByKey = new Map(inserted.map((span, index) => [copyKeyOf(span), index]));
  const unseen = new Map<string, SpanRecord>();
  for (const suspect of suspects) {
    const key = copyKeyOf(suspect);
    const index = indexByKey.get(key);
    const earlier = index === undefined ? unseen.get(key) : inserted[index];
    if (earlier !== undefined && !replaces(suspect, earlier)) continue;
    if (index === undefined) unseen.set(key, suspect);
    else inserted[index] = suspect;
  }
  const stored = await findStored(unseen, connection);
  const replacing: SpanRecord[] = [];
  for (const [key, span] of unseen) {
    const earlier = stored.get(key);
    if (earlier !== undefined && !replaces(span, earlier)) continue;
    inserted.push(span);
    if (earlier !== undefined) replacing.push(span);
  }
  return { inserted, replacing };
}

/** Deletes the stored copies of `spans`; part of the connection's transaction. */
export async function deleteStored(spans: readonly SpanRecord[], connection: DuckDBConnection): Promise<void> {
  if (spans.length === 0) return;
  await connection.run(
    sqlFile('delete-spans'),
    {
      trace_ids: listValue(spans.map((span) => idNumber(span.traceId))),
      span_ids: listValue(spans.map((span) => idNumber(span.spanId))),
      starts_ns: listValue(spans.map((span) => span.startTimeUnixNano)),
    },
    { trace_ids: LIST(UHUGEINT), span_ids: LIST(UBIGINT), starts_ns: LIST(BIGINT) },
  );
}

/** Whether `later` replaces `earlier`. Of equal copies the earlier one stays, which saves a rewrite. */
function replaces(later: SpanRecord, earlier: SpanRecord): boolean {
  return supersedes(later, earlier) && !isDeepStrictEqual(later, earlier);
}

/**
 * The stored copies of `spans`, by key. A copy has the start time of its original, so only a few row groups are read.
 */
async function findStored(
  spans: ReadonlyMap<string, SpanRecord>,
  connection: DuckDBConnection,
): Promise<Map<string, SpanRecord>> {
  if (spans.size === 0) return new Map();
  let since = LATEST_UNIX_NANO;
  let until = EARLIEST_UNIX_NANO;
  for (const { startTimeUnixNano: start } of spans.values()) {
    if (start < since) since = start;
    if (start > until) until = start;
  }
  const spanIds = [...spans.values()].map((span) => idNumber(span.spanId));
  const result = await connection.run(
    sqlFile('stored-copies'),
    { span_ids: listValue(spanIds), since_ns: since, until_ns: until },
    { span_ids: LIST(UBIGINT) },
  );
  return new Map((await readSpans(result)).map((span) => [copyKeyOf(span), span]));
}

/** Deletes every span of these traces. Returns how many there were. */
export function deleteTraces(
  connection: DuckDBConnection,
  traceIds: readonly bigint[],
  nowMs: number,
): Promise<number> {
  return transaction(connection, async () => {
    await noteUnreclaimed(connection, nowMs);
    const sql = 'DELETE FROM spans WHERE trace_id IN (SELECT unnest($trace_ids::UHUGEINT[]))';
    return (await connection.run(sql, { trace_ids: listValue([...traceIds]) }, { trace_ids: LIST(UHUGEINT) }))
      .rowsChanged;
  });
}
