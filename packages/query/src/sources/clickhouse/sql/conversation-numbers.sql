-- What the numbers of a conversation are made of: all spans of the traces {trace_ids}.
SELECT
  trace_id, span_id, parent_span_id, name, start_ns, duration_ns, service_name, status_code, status_message,
  mapFilter(
    (name, text) -> name NOT IN ('conversation.step.input', 'conversation.step.output'),
    attributes
  ) AS attributes,
  resource_attributes
FROM traced_spans
ORDER BY trace_id, start_ns, span_id
