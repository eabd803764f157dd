-- What the numbers of a conversation are made of: all spans of the traces {trace_ids}.
SELECT
  trace_id, span_id, parent_span_id, name, start_ns, duration_ns, service_name, status_code, status_message,
  mapFilter(
    (attribute, text) -> attribute NOT IN ('conversation.pii.input_text', 'conversation.pii.output_text'),
    attributes
  ) AS attributes,
  sampling_ratio
FROM traced_spans
ORDER BY trace_id, start_ns, span_id
