-- How many conversations start in each quarter of an hour of UTC, from $since_ns to before $until_ns.
-- A conversation starts with its first step; where it has none, with its root.
WITH earlier AS (
  SELECT trace_id, bool_or(role = 'step') AS has_step
  FROM readable_spans
  WHERE role <> 'other' AND start_ns < $since_ns
  GROUP BY trace_id
),
started AS (
  SELECT
    trace_id,
    min(start_ns) FILTER (role = 'step') AS first_step_ns,
    coalesce(first_step_ns, min(start_ns)) AS first_ns
  FROM readable_spans
  WHERE role <> 'other' AND start_ns >= $since_ns
  GROUP BY trace_id
)
SELECT first_ns // 900000000000 AS quarter_hour, count(*) AS conversations
FROM started
LEFT JOIN earlier ON earlier.trace_id = started.trace_id
WHERE first_ns < $until_ns
  AND (earlier.trace_id IS NULL OR (NOT earlier.has_step AND first_step_ns IS NOT NULL))
GROUP BY quarter_hour
ORDER BY quarter_hour
