-- All spans of the trace $trace_id with all columns, by start, then span id.
SELECT
  readable_spans.*,
  steps.step,
  resources.service_name,
  resources.sampling_ratio,
  resources.scope_name,
  resources.scope_version,
  resources.attributes AS resource_attributes
FROM readable_spans
LEFT JOIN resources USING (resource_id)
LEFT JOIN steps USING (step_id)
WHERE trace_id = $trace_id
ORDER BY start_ns, span_id
