-- The same as failed in common-errors.sql, from the summaries of whole_slices and from rest_spans, which are all other spans.
SELECT
  step_id,
  error_type,
  error_message,
  sum(failures) AS failures,
  max(last_seen_ns) AS last_seen_ns,
  arg_min(trace_id, ROW(-last_seen_ns, trace_id)) AS trace_id
FROM (
  SELECT step_id, error_type, error_message, failures, last_seen_ns, trace_id
  FROM slice_failures
  WHERE whole_slices
  UNION ALL
  SELECT step_id, error_type, error_message, 1, start_ns, trace_id
  FROM rest_spans
  WHERE step_id > 0 AND start_ns >= $since_ns AND start_ns < $until_ns AND outcome <= 'abandoned'::span_outcome
)
GROUP BY step_id, error_type, error_message
