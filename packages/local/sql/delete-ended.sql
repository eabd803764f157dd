-- Deletes the spans that start by $until_ns and end by $boundary_ns, except those of the traces $lasting_ids.
DELETE FROM spans
WHERE start_ns <= $until_ns
  AND start_ns + duration_ns <= $boundary_ns
  AND trace_id NOT IN (SELECT unnest($lasting_ids::UHUGEINT[]))
