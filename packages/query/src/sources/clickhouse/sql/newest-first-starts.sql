-- When each step starts first in each of the newest {row_limit} conversations that start from {since} to before {until}.
-- A conversation without a step, which starts with its root, has one row without a step.
WITH newest AS (
  SELECT
    trace_id,
    coalesce(minOrNullIf(start_ns, is_step), min(start_ns)) AS started_ns,
    minMap(map(step, start_ns)) AS first_starts
  FROM touched_spans
  WHERE is_step OR is_root
  GROUP BY trace_id
  HAVING started_ns >= {since_ns:Int64} AND started_ns < {until_ns:Int64}
  ORDER BY started_ns DESC, trace_id
  LIMIT {row_limit:UInt64}
)
SELECT trace_id, nullIf(first_start.1::String, '') AS step, first_start.2 - started_ns AS offset_ns
FROM newest
ARRAY JOIN CAST(first_starts, 'Array(Tuple(String, Int64))') AS first_start
ORDER BY trace_id, step
