-- All spans of the traces {trace_ids}, whole, in order of trace, start, then span id.
SELECT
  trace_id, span_id, parent_span_id, name, start_ns, duration_ns, service_name, status_code, status_message, attributes,
  resource_attributes, kind, trace_state, scope_name, scope_version
FROM traced_spans
ORDER BY trace_id, start_ns, span_id
