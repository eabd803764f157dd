-- The conversation id of each of the traces $trace_ids: that of its roots, else of its steps, else of any span; the first by
-- code point if they differ, null if there is none.
SELECT
  trace_id,
  coalesce(
    min(conversation_id) FILTER (step_id = 0), min(conversation_id) FILTER (step_id > 0), min(conversation_id)
  ) AS own_id
FROM readable_spans
WHERE trace_id IN (SELECT unnest($trace_ids::UHUGEINT[]))
GROUP BY trace_id
ORDER BY trace_id
