-- Like rough-extent, from the summaries of whole slices, and from the spans from number $unsummed_from on.
SELECT
  sum(spans)::BIGINT AS spans,
  greatest(min(oldest_ns), $since_ns) AS oldest_ns,
  least(max(newest_ns), $until_ns) AS newest_ns
FROM (
  SELECT spans, oldest_ns, newest_ns
  FROM slice_summaries
  WHERE newest_ns >= $since_ns AND oldest_ns < $until_ns
  UNION ALL
  SELECT count(*), min(start_ns), max(start_ns)
  FROM main.spans
  WHERE arrival >= $unsummed_from AND start_ns >= $since_ns AND start_ns < $until_ns
)
ORDER BY spans
