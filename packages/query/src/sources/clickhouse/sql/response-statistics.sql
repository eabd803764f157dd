-- Numbers of the response latency, over the conversations that start from {since} to before {until} and have one: the
-- smallest of their steps', else of their roots'; quantiles by linear interpolation.
-- A conversation starts with its first step; where it has none, with its root.
WITH latencies AS (
  SELECT
    coalesce(minOrNullIf(start_ns, is_step), min(start_ns)) AS first_ns,
    coalesce(minOrNullIf(response_latency_s, is_step), minOrNull(response_latency_s)) AS response_s
  FROM touched_spans
  WHERE is_step OR is_root
  GROUP BY trace_id
  HAVING first_ns >= {since_ns:Int64} AND first_ns < {until_ns:Int64} AND response_s IS NOT NULL
)
SELECT
  count() AS conversations,
  avg(response_s) AS average_s,
  min(response_s) AS min_s,
  max(response_s) AS max_s,
  quantilesExactInclusive(0.5)(assumeNotNull(response_s)) AS quantiles_s
FROM latencies
