-- What slice_summaries says of each slice: the number of its spans, and the first and last of their starts.
SELECT slice, spans, oldest_ns, newest_ns
FROM slice_summaries
ORDER BY slice
