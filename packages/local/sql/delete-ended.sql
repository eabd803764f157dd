-- Deletes the spans that start by $until_ns, up to the boundary, except those of the traces $lasting_ids. The boundary is an
-- end and, among the spans that end then, a place in the order of their ids.
DELETE FROM spans
WHERE start_ns <= $until_ns
  AND (
    start_ns + duration_ns < $boundary_ns
    OR start_ns + duration_ns = $boundary_ns
    AND (trace_id < $boundary_trace_id OR trace_id = $boundary_trace_id AND span_id <= $boundary_span_id)
  )
  AND trace_id NOT IN (SELECT unnest($lasting_ids::UHUGEINT[]))
