-- The same as coverage.sql, from the summaries of whole_slices and the table counted_once.
SELECT (SELECT count(*) FROM counted_once) + (
  SELECT count(*)
  FROM (SELECT trace_id FROM slice_conversations WHERE whole_slices) AS others
  ANTI JOIN counted_once ON counted_once.trace_id = others.trace_id
) AS conversations
ORDER BY conversations
