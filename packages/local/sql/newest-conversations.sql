-- The $row_limit newest conversations that start from $since_ns to before $until_ns and last longer than $above_ns.
-- A conversation starts with its first step and ends with its last one or, without steps, does both with its root.
WITH seen AS (
  SELECT DISTINCT trace_id
  FROM readable_spans
  WHERE step_id IS NOT NULL AND start_ns >= $since_ns AND start_ns < $until_ns
)
SELECT
  trace_id,
  coalesce(min(start_ns) FILTER (step_id > 0), min(start_ns)) AS first_ns
FROM readable_spans
WHERE step_id IS NOT NULL AND trace_id IN (SELECT trace_id FROM seen)
GROUP BY trace_id
HAVING first_ns >= $since_ns
  AND first_ns < $until_ns
  AND coalesce(max(start_ns + duration_ns) FILTER (step_id > 0), max(start_ns + duration_ns)) - first_ns > $above_ns
ORDER BY first_ns DESC, trace_id
LIMIT $row_limit
