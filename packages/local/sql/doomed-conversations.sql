-- What is lost if every span up to the boundary is deleted: the number of whole conversations, and of those in $large_ids
-- that lose a part. The traces $lasting_ids are kept. The boundary is an end and, among the spans that end then, a place in
-- the order of their ids.
WITH judged AS (
  SELECT
    trace_id,
    start_ns + duration_ns < $boundary_ns
    OR start_ns + duration_ns = $boundary_ns
    AND (trace_id < $boundary_trace_id OR trace_id = $boundary_trace_id AND span_id <= $boundary_span_id) AS is_doomed
  FROM spans
  WHERE trace_id NOT IN (SELECT unnest($lasting_ids::UHUGEINT[]))
    AND trace_id IN (SELECT trace_id FROM spans WHERE start_ns <= $boundary_ns)
),
conversations AS (
  SELECT
    trace_id IN (SELECT unnest($large_ids::UHUGEINT[])) AS is_large,
    bool_and(is_doomed) AS is_whole
  FROM judged
  GROUP BY trace_id
  HAVING bool_or(is_doomed)
)
SELECT
  count(*) FILTER (NOT is_large OR is_whole) AS conversations,
  count(*) FILTER (is_large AND NOT is_whole) AS shortened
FROM conversations
ORDER BY conversations
