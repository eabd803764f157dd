import { readFileSync } from 'node:fs';
import { QueryError, SourceError } from '../../errors.ts';

/** The table definition: `collector-config/clickhouse/otel-traces.sql`, or that of the collector's exporter. */
export type TableKind = 'convotel' | 'exporter';

/** Options of {@link clickHouseTableDefinition}. */
export interface ClickHouseTableOptions {
  /**
   * Name of a cluster in `system.clusters`, or a macro such as `{cluster}`. The spans of a conversation are then on one
   * shard, and each shard is replicated. @defaultValue a single server
   */
  cluster?: string | undefined;
  /** @defaultValue `otel` */
  database?: string | undefined;
  /** How long spans are kept, in days. @defaultValue `30` */
  keepDays?: number | undefined;
}

const IDENTIFIER = /^[A-Za-z_]\w{0,127}$/;
const CLUSTER = /^[\w.{}-]{1,128}$/;

const DISTRIBUTED = `
-- What the collector writes to and convotel reads from. A conversation's spans go to one shard, by trace id: there copies
-- of a span meet, and questions about conversations are answered without moving spans. Writers take the setting
-- distributed_foreground_insert = 1, or the collector is told that spans are stored before they are.
CREATE TABLE IF NOT EXISTS otel.otel_traces ON CLUSTER CLUSTER_NAME AS otel.otel_traces_local
ENGINE = Distributed(CLUSTER_NAME, otel, otel_traces_local, cityHash64(TraceId));

CREATE TABLE IF NOT EXISTS otel.otel_traces_trace_id_ts ON CLUSTER CLUSTER_NAME AS otel.otel_traces_trace_id_ts_local
ENGINE = Distributed(CLUSTER_NAME, otel, otel_traces_trace_id_ts_local, cityHash64(TraceId));
`;

/**
 * Returns the SQL, with comments, that creates the table that convotel reads fastest; run it with
 * `clickhouse-client --multiquery`. Existing tables are not changed.
 * @throws `QueryError` `OPTION_OUT_OF_RANGE` if a name is invalid, or `keepDays` is not a positive integer.
 */
export function clickHouseTableDefinition({
  cluster,
  database = 'otel',
  keepDays = 30,
}: ClickHouseTableOptions = {}): string {
  if (!IDENTIFIER.test(database)) throw outOfRange('database', 'the name of a database', database);
  if (!Number.isInteger(keepDays) || keepDays < 1) throw outOfRange('keepDays', 'a whole number from 1 on', keepDays);
  if (cluster !== undefined && !CLUSTER.test(cluster)) throw outOfRange('cluster', 'the name of a cluster', cluster);
  const plain = readFileSync(new URL('./sql/table-definition.sql', import.meta.url), 'utf8');
  return (cluster === undefined ? plain : clustered(plain, `'${cluster}'`))
    .replaceAll(/\botel(?=[.;, ])/g, database)
    .replaceAll('toIntervalDay(30)', `toIntervalDay(${keepDays})`);
}

/** Adapts the SQL to a cluster: replicated local tables, and a distributed table that is sharded by trace id. */
function clustered(plain: string, cluster: string): string {
  const local = plain
    .replaceAll(/\botel\.otel_traces(_trace_id_ts)?\b/g, '$&_local')
    .replaceAll(/^CREATE (?:DATABASE|TABLE|MATERIALIZED VIEW) IF NOT EXISTS [\w.]+/gm, `$& ON CLUSTER ${cluster}`)
    .replaceAll(
      /^ENGINE = (\w*MergeTree)(?:\((\w+)\))?$/gm,
      (_, engine: string, version: string | undefined) =>
        `ENGINE = Replicated${engine}('/clickhouse/tables/{shard}/{database}/{table}', '{replica}'${version === undefined ? '' : `, ${version}`})`,
    );
  return local + DISTRIBUTED.replaceAll('CLUSTER_NAME', cluster);
}

function outOfRange(option: string, expected: string, value: unknown): QueryError {
  return new QueryError('OPTION_OUT_OF_RANGE', `${option} must be ${expected}, got ${JSON.stringify(value)}`);
}

/** A table without one of these columns of `convotel clickhouse ddl` is read like the exporter's. */
const CONVOTEL_COLUMNS = [
  'Step',
  'IsRoot',
  'Outcome',
  'Version',
  'Timings',
  'ResponseLatency',
  'SamplingRatio',
  'CarriedId',
];

/**
 * Determines the kind of the table, and a notice for the user if there is a problem with it.
 * @param read Runs a query with the parameters `{database}` and `{table}`; returns rows by column name.
 * @throws `SourceError` `WRONG_ANSWER` if it is not a table of spans, and whatever `read` throws.
 */
export async function recogniseTable(
  { table, location }: { table: string; location: string },
  read: (query: string) => Promise<unknown[]>,
): Promise<{ kind: TableKind; notice?: string }> {
  const described = (await read(
    `SELECT name, (SELECT any(engine) FROM system.tables WHERE database = {database:String} AND name = {table:String}) AS engine
    FROM system.columns WHERE database = {database:String} AND table = {table:String} ORDER BY name`,
  )) as { name: string; engine: string }[];
  const columns = new Set(described.map(({ name }) => name));
  const engine = described[0]?.engine ?? '';
  // A user who may not read the table does not see its columns either; a query shows which of the two it is.
  if (columns.size === 0) await read('SELECT 1 FROM {table:Identifier} LIMIT 0');
  if (!columns.has('SpanAttributes')) {
    throw new SourceError('WRONG_ANSWER', `${location}: ${table} does not hold spans as the collector writes them`);
  }
  const slower = 'Answers are the same, but take several times as long as with the table of `convotel clickhouse ddl`.';
  const missing = CONVOTEL_COLUMNS.filter((name) => !columns.has(name));
  if (missing.length === CONVOTEL_COLUMNS.length) {
    return {
      kind: 'exporter',
      notice: `${location} is the table that the collector's exporter makes. ${slower}`,
    };
  }
  if (missing.length > 0) {
    const notice = `${location} is an older table of convotel, without ${missing.join(', ')}. ${slower}`;
    return { kind: 'exporter', notice };
  }
  // FINAL needs an engine that removes duplicates. The engine behind a Distributed table is unknown.
  if (/Replacing|^Distributed$/.test(engine)) return { kind: 'convotel' };
  const notice = `${location} has the columns of convotel's table, but its engine, ${engine}, keeps copies of spans. ${slower}`;
  return { kind: 'exporter', notice };
}
