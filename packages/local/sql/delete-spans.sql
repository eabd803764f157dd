-- Deletes the spans whose ids and start stand at the same place of $trace_ids, $span_ids and $starts_ns.
DELETE FROM spans
WHERE span_id IN (SELECT unnest($span_ids::UBIGINT[]))
  AND (trace_id, span_id, start_ns) IN (
    SELECT (unnest($trace_ids::UHUGEINT[]), unnest($span_ids::UBIGINT[]), unnest($starts_ns::BIGINT[]))
  )
