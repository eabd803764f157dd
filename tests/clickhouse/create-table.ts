import { readFile } from 'node:fs/promises';
import type { ClickHouseClient } from '@clickhouse/client';

const DDL = new URL('../../collector-config/clickhouse/otel-traces.sql', import.meta.url);

/** Runs the statements that make our table, as operators do. */
export async function createSchema(
  client: ClickHouseClient,
  adapted: (ddl: string) => string = (ddl) => ddl,
): Promise<void> {
  const statements = adapted(await readFile(DDL, 'utf8')).split(/;\s*$/m);
  for (const query of statements.filter((each) => each.trim() !== '')) await client.command({ query });
}

/** Our own table, `otel.otel_traces`, without a TTL: the conversations of the tests are older. */
export async function createOwnTable(client: ClickHouseClient, database: string): Promise<void> {
  await createSchema(client, (ddl) => ddl.replaceAll(/^TTL .*\n/gm, '').replaceAll(/\botel\b(?=[.;])/g, database));
}

/** The table that the exporter of the collector makes, at v0.161. */
export async function createExporterTable(client: ClickHouseClient, database: string): Promise<void> {
  await client.command({ query: `CREATE DATABASE IF NOT EXISTS ${database}` });
  await client.command({
    query: `CREATE TABLE ${database}.otel_traces (
      Timestamp DateTime64(9) CODEC(Delta, ZSTD(1)),
      TraceId String CODEC(ZSTD(1)),
      SpanId String CODEC(ZSTD(1)),
      ParentSpanId String CODEC(ZSTD(1)),
      TraceState String CODEC(ZSTD(1)),
      SpanName LowCardinality(String) CODEC(ZSTD(1)),
      SpanKind LowCardinality(String) CODEC(ZSTD(1)),
      ServiceName LowCardinality(String) CODEC(ZSTD(1)),
      ResourceAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
      ScopeName String CODEC(ZSTD(1)),
      ScopeVersion String CODEC(ZSTD(1)),
      SpanAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
      Duration UInt64 CODEC(ZSTD(1)),
      StatusCode LowCardinality(String) CODEC(ZSTD(1)),
      StatusMessage String CODEC(ZSTD(1)),
      Events Nested (Timestamp DateTime64(9), Name LowCardinality(String), Attributes Map(LowCardinality(String), String)) CODEC(ZSTD(1)),
      Links Nested (TraceId String, SpanId String, TraceState String, Attributes Map(LowCardinality(String), String)) CODEC(ZSTD(1)),
      INDEX idx_trace_id TraceId TYPE bloom_filter(0.001) GRANULARITY 1,
      INDEX idx_span_attr_key mapKeys(SpanAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
      INDEX idx_span_attr_value mapValues(SpanAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
      INDEX idx_duration Duration TYPE minmax GRANULARITY 1
    ) ENGINE = MergeTree PARTITION BY toDate(Timestamp)
    ORDER BY (ServiceName, SpanName, toDateTime(Timestamp))
    SETTINGS index_granularity = 8192, ttl_only_drop_parts = 1`,
  });
}
