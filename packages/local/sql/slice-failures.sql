-- The rows of slice_failures for spans_to_sum_up, which stands for a table or a subquery of whole slices.
SELECT
  arrival >> 14 AS slice,
  step_id,
  error_type,
  error_message,
  count(*) AS failures,
  max(start_ns) AS last_seen_ns,
  arg_min(trace_id, ROW(-start_ns, trace_id)) AS trace_id
FROM spans_to_sum_up
WHERE step_id > 0 AND outcome <= 'abandoned'::span_outcome
GROUP BY slice, step_id, error_type, error_message
ORDER BY slice, step_id, error_type, error_message
