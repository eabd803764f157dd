-- The traces that begin by $boundary_ns and end after it, except $large_ids, which are not kept whole.
SELECT DISTINCT trace_id
FROM spans
WHERE start_ns + duration_ns > $boundary_ns
  AND trace_id IN (SELECT trace_id FROM spans WHERE start_ns <= $boundary_ns)
  AND trace_id NOT IN (SELECT unnest($large_ids::UHUGEINT[]))
ORDER BY trace_id
