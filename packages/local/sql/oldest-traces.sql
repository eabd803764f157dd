-- The $row_limit traces that started first, among those in which no span started at $before_ns or later.
WITH candidates AS (
  SELECT trace_id, min(start_ns) AS first_ns
  FROM spans
  WHERE start_ns < $before_ns
  GROUP BY trace_id
)
SELECT trace_id
FROM candidates
WHERE trace_id NOT IN (SELECT trace_id FROM spans WHERE start_ns >= $before_ns)
ORDER BY first_ns, trace_id
LIMIT $row_limit
