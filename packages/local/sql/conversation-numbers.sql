-- All spans of the traces $trace_ids, with the columns from which the numbers of a conversation are computed.
-- The rows are found by trace id first, because reading all columns of every row takes five times as long.
SELECT
  trace_id,
  span_id,
  role,
  step,
  depth,
  attempt,
  outcome,
  start_ns,
  duration_ns,
  conversation_id,
  session_id,
  workflow,
  response_latency_s,
  provider,
  model,
  input_chars,
  input_tokens,
  output_tokens,
  audio_s,
  service_name,
  sampling_ratio
FROM readable_spans
LEFT JOIN resources USING (resource_id)
LEFT JOIN steps USING (step_id)
WHERE row_id IN (
  SELECT row_id FROM readable_spans WHERE trace_id IN (SELECT unnest($trace_ids::UHUGEINT[]))
)
ORDER BY trace_id, start_ns, span_id
