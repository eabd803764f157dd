-- The conversations with a root or step that starts from $since_ns to before $until_ns and another one that does not, and
-- whether they start then: with their first step or, without steps, with their root.
WITH elsewhere AS (
  SELECT DISTINCT trace_id
  FROM readable_spans
  WHERE step_id IS NOT NULL AND (start_ns < $since_ns OR start_ns >= $until_ns)
),
crossing AS (
  SELECT DISTINCT trace_id
  FROM readable_spans
  WHERE step_id IS NOT NULL AND start_ns >= $since_ns AND start_ns < $until_ns
    AND trace_id IN (SELECT trace_id FROM elsewhere)
)
SELECT
  trace_id,
  coalesce(min(start_ns) FILTER (step_id > 0), min(start_ns)) AS first_ns,
  first_ns >= $since_ns AND first_ns < $until_ns AS starts_within
FROM readable_spans
WHERE step_id IS NOT NULL AND trace_id IN (SELECT trace_id FROM crossing)
GROUP BY trace_id
ORDER BY trace_id
