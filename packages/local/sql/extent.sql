-- The number of spans that start from $since_ns to before $until_ns, and the first and last of these starts.
SELECT count(*) AS spans, min(start_ns) AS oldest_ns, max(start_ns) AS newest_ns
FROM readable_spans
WHERE start_ns >= $since_ns AND start_ns < $until_ns
ORDER BY spans
