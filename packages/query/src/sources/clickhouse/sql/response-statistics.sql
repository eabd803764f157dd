-- Numbers of the response latency, over the conversations that start from {since} to before {until} and have one: the
-- smallest of their steps', else of their roots'; quantiles by linear interpolation. seen is how many conversations the
-- window has at all.
-- A conversation starts with its first step; where it has none, with its root.
WITH latencies AS (
  SELECT
    coalesce(minOrNullIf(start_ns, is_step), min(start_ns)) AS first_ns,
    coalesce(minOrNullIf(response_latency_s, is_step), minOrNull(response_latency_s)) AS response_s,
    first_ns >= {since_ns:Int64} AND first_ns < {until_ns:Int64} AND response_s IS NOT NULL AS is_counted,
    max(start_ns >= {since_ns:Int64} AND start_ns < {until_ns:Int64}) AS is_seen
  FROM reached_spans
  WHERE is_step OR is_root
  GROUP BY reinterpretAsUInt128(unhex(trace_id))
)
SELECT
  countIf(is_seen) AS seen,
  countIf(is_counted) AS conversations,
  avgIf(response_s, is_counted) AS average_s,
  minIf(response_s, is_counted) AS min_s,
  maxIf(response_s, is_counted) AS max_s,
  quantilesExactInclusiveIf(0.5)(assumeNotNull(response_s), is_counted) AS quantiles_s
FROM latencies
