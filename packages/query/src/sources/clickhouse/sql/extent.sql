-- How many spans start from {since} to before {until}, and from when to when.
SELECT count() AS spans, minOrNull(start_ns) AS oldest_ns, maxOrNull(start_ns) AS newest_ns
FROM window_spans
