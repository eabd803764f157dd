import type { Builder, Dataquery } from '@grafana/grafana-foundation-sdk/cog';
import { CHOSEN_CLICKHOUSE } from '../data-source.ts';

/** What `convotel percentiles` counts: each span once, completed, shorter than a minute. */
const COUNTED_SPANS = `FROM otel_traces FINAL
WHERE Timestamp >= $__fromTime_ms AND Timestamp < $__toTime_ms
  AND Step != '' AND Outcome = 'completed' AND Duration < 60000000000`;

/** As `convotel percentiles` interpolates; in seconds. */
const QUANTILES = 'arrayMap(ns -> ns / 1e9, quantilesExactInclusive(0.5, 0.9, 0.95, 0.99)(Duration))';

/** One row a step, the slowest first. */
export const STEPS_SQL = `SELECT step, runs, mean, q[1] AS p50, q[2] AS p90, q[3] AS p95, q[4] AS p99, slowest
FROM (
  SELECT Step AS step, count() AS runs, avg(Duration) / 1e9 AS mean, ${QUANTILES} AS q, max(Duration) / 1e9 AS slowest
  ${indented(COUNTED_SPANS)}
  GROUP BY step
)
ORDER BY p95 DESC, step`;

/** Percentiles of the chosen step over time. */
export const CHOSEN_STEP_SQL = `SELECT time, q[1] AS p50, q[2] AS p90, q[3] AS p95, q[4] AS p99
FROM (
  SELECT $__timeInterval(Timestamp) AS time, ${QUANTILES} AS q
  ${indented(COUNTED_SPANS)}
    AND Step = \${step:sqlstring}
  GROUP BY time
)
ORDER BY time`;

/** Steps that there are to choose from. */
export const STEP_NAMES_SQL = `SELECT DISTINCT Step FROM otel_traces
WHERE Timestamp >= $__fromTime_ms AND Timestamp < $__toTime_ms AND Step != ''`;

function indented(sql: string): string {
  return sql.replaceAll('\n', '\n  ');
}

/** A query as Grafana's plugin for ClickHouse keeps it. */
interface ClickHouseQuery extends Dataquery {
  refId: string;
  datasource: typeof CHOSEN_CLICKHOUSE;
  editorType: 'sql';
  queryType: 'table' | 'timeseries';
  /** 0 is a time series, 1 a table. */
  format: 0 | 1;
  rawSql: string;
}

/** Asks ClickHouse for rows, or for curves over the column `time`. */
export function sqlQuery(queryType: ClickHouseQuery['queryType'], rawSql: string): Builder<Dataquery> {
  const query: ClickHouseQuery = {
    _implementsDataqueryVariant: () => {},
    refId: 'A',
    datasource: CHOSEN_CLICKHOUSE,
    editorType: 'sql',
    queryType,
    format: queryType === 'table' ? 1 : 0,
    rawSql,
  };
  return { build: () => query };
}
