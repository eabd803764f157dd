-- Those of the traces $trace_ids that are conversations, newest first.
SELECT
  trace_id,
  coalesce(min(start_ns) FILTER (step_id > 0), min(start_ns)) AS first_ns
FROM readable_spans
WHERE step_id IS NOT NULL AND trace_id IN (SELECT unnest($trace_ids::UHUGEINT[]))
GROUP BY trace_id
ORDER BY first_ns DESC, trace_id
