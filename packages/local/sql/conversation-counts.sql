-- How many conversations start in each quarter hour of UTC, from $since_ns to before $until_ns, and how many have a span in
-- the window at all. Those that start outside it have no quarter hour.
-- A conversation starts with its first step or, without steps, with its root.
WITH earlier AS (
  SELECT trace_id, bool_or(step_id > 0) AS has_step
  FROM readable_spans
  WHERE step_id IS NOT NULL AND start_ns < $since_ns
  GROUP BY trace_id
),
started AS (
  SELECT
    trace_id,
    min(start_ns) AS seen_ns,
    min(start_ns) FILTER (step_id > 0) AS first_step_ns,
    coalesce(first_step_ns, seen_ns) AS first_ns
  FROM readable_spans
  WHERE step_id IS NOT NULL AND start_ns >= $since_ns
  GROUP BY trace_id
)
SELECT
  CASE
    WHEN first_ns < $until_ns
      AND (earlier.trace_id IS NULL OR (NOT earlier.has_step AND first_step_ns IS NOT NULL))
    THEN first_ns // 900000000000
  END AS quarter_hour,
  count(*) AS conversations,
  count(*) FILTER (seen_ns < $until_ns) AS seen
FROM started
LEFT JOIN earlier ON earlier.trace_id = started.trace_id
GROUP BY quarter_hour
ORDER BY quarter_hour
