-- Deletes the spans that start before $boundary_ns, but for those of the traces $lasting_ids.
DELETE FROM spans
WHERE start_ns < $boundary_ns AND trace_id NOT IN (SELECT unnest($lasting_ids::UHUGEINT[]))
