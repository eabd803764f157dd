-- The number of conversations, how many of them ended before $before_ns, and the $row_limit-th of those that ended first,
-- with its end; null if fewer ended. Those that ended at the same instant are in order of their trace ids.
WITH conversations AS (
  SELECT trace_id, max(start_ns + duration_ns) AS end_ns
  FROM spans
  GROUP BY trace_id
),
ended AS (
  SELECT trace_id, end_ns FROM conversations WHERE end_ns < $before_ns
),
last_due AS (
  SELECT trace_id, end_ns FROM ended ORDER BY end_ns, trace_id LIMIT 1 OFFSET $row_limit - 1
)
SELECT
  (SELECT count(*) FROM conversations) AS conversations,
  (SELECT count(*) FROM ended) AS due,
  (SELECT end_ns FROM last_due) AS boundary_ns,
  (SELECT trace_id FROM last_due) AS boundary_trace_id
ORDER BY conversations
