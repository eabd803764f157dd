-- The slices that were complete and whose spans all start from $since_ns to before $until_ns, with the number of their spans.
SELECT slice, spans
FROM slice_summaries
WHERE oldest_ns >= $since_ns AND newest_ns < $until_ns
ORDER BY slice
