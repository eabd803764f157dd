-- What slice_conversations says of spans_to_sum_up, which stands for a table or a subquery of whole slices behind those that
-- known_conversations has, the table itself.
WITH found AS (
  SELECT
    trace_id,
    arrival >> 14 AS slice,
    min(start_ns) FILTER (step_id > 0) AS first_step_ns,
    min(start_ns) FILTER (step_id = 0) AS first_root_ns,
    max(start_ns + duration_ns) FILTER (step_id > 0) AS last_step_ns,
    max(start_ns + duration_ns) FILTER (step_id = 0) AS last_root_ns,
    min(response_latency_s) FILTER (step_id > 0) AS step_response_s,
    min(response_latency_s) FILTER (step_id = 0) AS root_response_s
  FROM spans_to_sum_up
  WHERE step_id IS NOT NULL
  GROUP BY trace_id, slice
),
continued AS (
  SELECT DISTINCT known.trace_id
  FROM known_conversations AS known
  SEMI JOIN found ON found.trace_id = known.trace_id
)
SELECT
  found.trace_id,
  slice,
  continued.trace_id IS NOT NULL OR slice > min(slice) OVER (PARTITION BY found.trace_id) AS is_continued,
  first_step_ns,
  first_root_ns,
  last_step_ns,
  last_root_ns,
  step_response_s,
  root_response_s
FROM found
LEFT JOIN continued ON continued.trace_id = found.trace_id
ORDER BY slice, found.trace_id
