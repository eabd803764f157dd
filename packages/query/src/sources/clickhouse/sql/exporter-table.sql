-- Spans of the table that the collector's exporter makes, each once. What counts is worked out from the attributes, and
-- of copies the row counts that comes first in this order: it ends last, is not recovered, was inserted last.
SELECT
  TraceId AS trace_id,
  SpanId AS span_id,
  ParentSpanId AS parent_span_id,
  SpanName AS name,
  toUnixTimestamp64Nano(Timestamp) AS start_ns,
  least(Duration, toUInt64(9223372036854775807))::Int64 * (Duration <= 9223372036854775807) AS duration_ns,
  toLowCardinality(SpanAttributes['conversation.step.name']) AS step,
  SpanAttributes['conversation.step.name'] != '' AS is_step,
  SpanName = 'conversation' AND ParentSpanId = '' AND SpanAttributes['conversation.step.name'] = ''
    AND SpanAttributes['conversation.id'] != '' AND mapContains(SpanAttributes, 'conversation.schema.version') AS is_root,
  toLowCardinality(
    multiIf(
      SpanAttributes['conversation.outcome'] IN ('completed', 'failed', 'timed_out', 'interrupted', 'abandoned'),
      SpanAttributes['conversation.outcome'],
      StatusCode = 'Error',
      'failed',
      'completed'
    )
  ) AS outcome,
  greatest(toInt32OrZero(SpanAttributes['conversation.step.depth']), 0) AS depth,
  greatest(toInt32OrZero(SpanAttributes['conversation.step.attempt']), 1) AS attempt,
  SpanAttributes['conversation.id'] AS conversation_id,
  SpanAttributes['session.id'] AS session_id,
  SpanAttributes['gen_ai.workflow.name'] AS workflow,
  ServiceName AS service_name,
  toFloat64OrNull(ResourceAttributes['conversation.sampling.ratio']) AS sampling_ratio,
  SpanAttributes['error.type'] AS error_type,
  if(StatusCode = 'Error', StatusMessage, '') AS error_message,
  if(
    isFinite(toFloat64OrNull(SpanAttributes['conversation.step.time_to_first_output'])),
    toFloat64OrNull(SpanAttributes['conversation.step.time_to_first_output']),
    NULL
  ) AS time_to_first_output_s,
  if(
    toFloat64OrNull(SpanAttributes['conversation.response_latency']) BETWEEN 0 AND 1e9,
    toFloat64OrNull(SpanAttributes['conversation.response_latency']),
    NULL
  ) AS response_latency_s,
  mapApply(
    (part, text) -> (substring(part, 26), toFloat64OrZero(text)),
    mapFilter(
      (part, text) -> startsWith(part, 'conversation.step.timing.') AND length(part) > 25
        AND isFinite(ifNull(toFloat64OrNull(text), nan)),
      SpanAttributes
    )
  ) AS timings_s,
  StatusCode AS status_code,
  StatusMessage AS status_message,
  SpanKind AS kind,
  TraceState AS trace_state,
  ScopeName AS scope_name,
  ScopeVersion AS scope_version,
  SpanAttributes AS attributes,
  ResourceAttributes AS resource_attributes,
  toUInt8(0) AS group_id
FROM {table:Identifier}
WHERE true
ORDER BY
  if(Duration > 9223372036854775807, 0, Duration) DESC,
  SpanAttributes['conversation.recovered'] = 'true',
  toUInt64OrZero(splitByChar('_', _part)[2]) DESC,
  _part_offset DESC
LIMIT 1 BY TraceId, SpanId, Timestamp
