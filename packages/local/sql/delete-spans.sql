-- Deletes the spans given by the lists $trace_ids, $span_ids and $starts_ns, one span per position.
DELETE FROM spans
WHERE span_id IN (SELECT unnest($span_ids::UBIGINT[]))
  AND (trace_id, span_id, start_ns) IN (
    SELECT (unnest($trace_ids::UHUGEINT[]), unnest($span_ids::UBIGINT[]), unnest($starts_ns::BIGINT[]))
  )
