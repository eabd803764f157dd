-- The stored spans that may be copies of the given ones: their span id is in $span_ids, and they start from $since_ns to
-- $until_ns inclusive. The caller compares trace ids and starts.
SELECT
  spans.*,
  steps.step,
  resources.service_name,
  resources.sampling_ratio,
  resources.scope_name,
  resources.scope_version,
  resources.attributes AS resource_attributes
FROM spans
LEFT JOIN resources USING (resource_id)
LEFT JOIN steps USING (step_id)
WHERE span_id IN (SELECT unnest($span_ids::UBIGINT[]))
  AND start_ns BETWEEN $since_ns AND $until_ns
ORDER BY trace_id, span_id, start_ns
