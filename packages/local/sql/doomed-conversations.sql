-- What goes when everything is deleted that ends by $boundary_ns: how many conversations as a whole, and how many of
-- $large_ids in part. Those of $lasting_ids stay.
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
