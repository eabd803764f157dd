-- One row a conversation with a step from $since_ns to before $until_ns or a start in it: oldest first, then by trace id.
WITH seen AS (
  SELECT DISTINCT trace_id
  FROM readable_spans
  WHERE role <> 'other' AND start_ns >= $since_ns AND start_ns < $until_ns
),
conversations AS (
  SELECT
    trace_id,
    coalesce(min(start_ns) FILTER (role = 'step'), min(start_ns) FILTER (role = 'root')) AS first_ns,
    coalesce(bool_or(role = 'step' AND start_ns >= $since_ns AND start_ns < $until_ns), false) AS has_step_within,
    arg_max(outcome, ROW(start_ns + duration_ns, span_id)) FILTER (role = 'root') AS root_outcome,
    coalesce(sum(duration_ns) FILTER (role = 'step' AND depth = 0), 0) AS total_ns
  FROM readable_spans
  WHERE role <> 'other' AND trace_id IN (SELECT trace_id FROM seen)
  GROUP BY trace_id
)
SELECT
  trace_id,
  first_ns,
  first_ns >= $since_ns AND first_ns < $until_ns AS starts_within,
  coalesce(root_outcome::VARCHAR, 'open') AS outcome,
  total_ns / 1e6 AS total_ms
FROM conversations
WHERE has_step_within OR (first_ns >= $since_ns AND first_ns < $until_ns)
ORDER BY first_ns, trace_id
