-- One row per conversation that starts from $since_ns to before $until_ns or has a step then: oldest first, then by trace
-- id.
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
    -- The enum has the worst first.
    arg_min(outcome, enum_code(outcome)) FILTER (role = 'root') AS root_outcome,
    coalesce(
      max(start_ns + duration_ns) FILTER (role = 'step'),
      max(start_ns + duration_ns) FILTER (role = 'root')
    ) AS last_ns,
    coalesce(sum(duration_ns) FILTER (role = 'step' AND depth = 0), 0) AS step_sum_ns,
    coalesce(
      min(response_latency_s) FILTER (role = 'step'),
      min(response_latency_s) FILTER (role = 'root')
    ) AS response_s,
    coalesce(bit_or(1 << group_id::INTEGER) FILTER (role = 'step'), bit_or(1 << group_id::INTEGER)) AS group_mask
  FROM grouped_spans
  WHERE role <> 'other' AND trace_id IN (SELECT trace_id FROM seen)
  GROUP BY trace_id
)
SELECT
  trace_id,
  first_ns,
  first_ns >= $since_ns AND first_ns < $until_ns AS starts_within,
  coalesce(root_outcome::VARCHAR, 'open') AS outcome,
  (last_ns - first_ns) / 1e6 AS duration_ms,
  step_sum_ns / 1e6 AS step_sum_ms,
  response_s * 1000 AS response_ms,
  group_mask
FROM conversations
WHERE has_step_within OR (first_ns >= $since_ns AND first_ns < $until_ns)
ORDER BY first_ns, trace_id
