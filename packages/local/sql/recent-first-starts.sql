-- The same as newest-first-starts.sql, as if there were no spans before $since_ns.
WITH first_starts AS (
  SELECT trace_id, step_id, min(start_ns) AS first_ns
  FROM readable_spans
  WHERE step_id IS NOT NULL AND start_ns >= $since_ns
  GROUP BY trace_id, step_id
),
newest AS (
  SELECT trace_id, coalesce(min(first_ns) FILTER (step_id > 0), min(first_ns)) AS started_ns
  FROM first_starts
  GROUP BY trace_id
  HAVING started_ns < $until_ns
  ORDER BY started_ns DESC, trace_id
  LIMIT $row_limit
)
SELECT newest.trace_id, step, first_ns - started_ns AS offset_ns
FROM newest
JOIN first_starts ON first_starts.trace_id = newest.trace_id
LEFT JOIN steps USING (step_id)
ORDER BY newest.trace_id, step
