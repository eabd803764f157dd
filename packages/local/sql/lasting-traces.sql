-- The traces that begin by $boundary_ns and have a span after the boundary, except $large_ids, which are not kept whole. The
-- boundary is an end and, among the spans that end then, a place in the order of their ids.
SELECT DISTINCT trace_id
FROM spans
WHERE (
    start_ns + duration_ns > $boundary_ns
    OR start_ns + duration_ns = $boundary_ns
    AND (trace_id > $boundary_trace_id OR trace_id = $boundary_trace_id AND span_id > $boundary_span_id)
  )
  AND trace_id IN (SELECT trace_id FROM spans WHERE start_ns <= $boundary_ns)
  AND trace_id NOT IN (SELECT unnest($large_ids::UHUGEINT[]))
ORDER BY trace_id
