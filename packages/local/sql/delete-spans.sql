-- Deletes the spans whose ids stand at the same place of $trace_ids and $span_ids.
DELETE FROM spans
WHERE span_id IN (SELECT unnest($span_ids::UBIGINT[]))
  AND (trace_id, span_id) IN (
    SELECT (unnest($trace_ids::UHUGEINT[]), unnest($span_ids::UBIGINT[]))
  )
