-- The number of conversations, how many of them ended before $before_ns, and when the $row_limit-th of those that ended first
-- did; null if fewer ended.
WITH conversations AS (
  SELECT trace_id, max(start_ns + duration_ns) AS end_ns
  FROM spans
  GROUP BY trace_id
),
ended AS (
  SELECT end_ns FROM conversations WHERE end_ns < $before_ns
)
SELECT
  (SELECT count(*) FROM conversations) AS conversations,
  (SELECT count(*) FROM ended) AS due,
  (SELECT end_ns FROM ended ORDER BY end_ns LIMIT 1 OFFSET $row_limit - 1) AS limit_end_ns
ORDER BY conversations
