-- What is lost if everything that ends by $boundary_ns is deleted: the number of whole conversations, and of those in
-- $large_ids that lose a part. The traces $lasting_ids are kept.
SELECT
  count(*) FILTER (NOT is_large OR last_ns <= $boundary_ns) AS conversations,
  count(*) FILTER (is_large AND last_ns > $boundary_ns) AS shortened
FROM (
  SELECT
    trace_id IN (SELECT unnest($large_ids::UHUGEINT[])) AS is_large,
    min(start_ns + duration_ns) AS first_end_ns,
    max(start_ns + duration_ns) AS last_ns
  FROM spans
  WHERE trace_id NOT IN (SELECT unnest($lasting_ids::UHUGEINT[]))
    AND trace_id IN (SELECT trace_id FROM spans WHERE start_ns <= $boundary_ns)
  GROUP BY trace_id
)
WHERE first_end_ns <= $boundary_ns
ORDER BY conversations
