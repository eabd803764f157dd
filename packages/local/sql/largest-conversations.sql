-- The traces of the $row_limit largest conversations that start from $since_ns to before $until_ns: by completed time
-- where $by_completed, else from start to end. Equal ones newest first.
-- A conversation starts with its first step; where it has none, with its root.
WITH earlier AS (
  SELECT trace_id, bool_or(role = 'step') AS has_step
  FROM readable_spans
  WHERE role <> 'other' AND start_ns < $since_ns
  GROUP BY trace_id
),
sized AS (
  SELECT
    trace_id,
    min(start_ns) FILTER (role = 'step') AS first_step_ns,
    coalesce(first_step_ns, min(start_ns)) AS first_ns,
    coalesce(max(start_ns + duration_ns) FILTER (role = 'step'), max(start_ns + duration_ns)) - first_ns AS wall_ns,
    coalesce(sum(duration_ns) FILTER (role = 'step' AND outcome = 'completed' AND depth = 0), 0) AS completed_ns
  FROM readable_spans
  WHERE role <> 'other' AND start_ns >= $since_ns
  GROUP BY trace_id
)
SELECT sized.trace_id
FROM sized
LEFT JOIN earlier ON earlier.trace_id = sized.trace_id
WHERE first_ns < $until_ns
  AND completed_ns > $completed_above_ns
  AND (earlier.trace_id IS NULL OR (NOT earlier.has_step AND first_step_ns IS NOT NULL))
ORDER BY CASE WHEN $by_completed THEN completed_ns ELSE wall_ns END DESC, first_ns DESC, sized.trace_id
LIMIT $row_limit
