-- The same as coverage.sql and extent.sql, from the summaries of whole_slices and from rest_spans, which are all other spans.
-- counted_once has the conversations that the rows of slice_conversations alone may count twice: those in the other spans, and
-- those in two of the slices, which are continued in at least one.
WITH rest AS MATERIALIZED (
  SELECT trace_id, step_id, start_ns
  FROM rest_spans
  WHERE start_ns >= $since_ns AND start_ns < $until_ns
),
counted_once AS MATERIALIZED (
  SELECT trace_id
  FROM rest
  WHERE step_id IS NOT NULL
  UNION
  SELECT trace_id
  FROM slice_conversations
  WHERE is_continued AND whole_slices
)
SELECT
  sum(conversations)::BIGINT AS conversations,
  sum(spans)::BIGINT AS spans,
  min(oldest_ns) AS oldest_ns,
  max(newest_ns) AS newest_ns
FROM (
  SELECT count(*) AS conversations, 0 AS spans, NULL AS oldest_ns, NULL AS newest_ns
  FROM counted_once
  UNION ALL
  -- Not as an anti join, which DuckDB may take the other way round: it looks up the few here among the many.
  SELECT count(*), 0, NULL, NULL
  FROM slice_conversations
  WHERE whole_slices AND trace_id NOT IN (SELECT trace_id FROM counted_once)
  UNION ALL
  SELECT 0, count(*), min(start_ns), max(start_ns)
  FROM rest
  UNION ALL
  SELECT 0, sum(spans), min(oldest_ns), max(newest_ns)
  FROM slice_summaries
  WHERE whole_slices
)
ORDER BY conversations
