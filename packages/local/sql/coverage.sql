-- The spans that start from $since_ns to before $until_ns, and the conversations among them; and from when to when their
-- roots and steps start.
SELECT spans, conversations, starts, oldest_ns, newest_ns
FROM
  (SELECT count(*) AS spans FROM readable_spans WHERE start_ns >= $since_ns AND start_ns < $until_ns),
  (
    SELECT
      count(DISTINCT trace_id) AS conversations,
      count(*) AS starts,
      min(start_ns) AS oldest_ns,
      max(start_ns) AS newest_ns
    FROM readable_spans
    WHERE role <> 'other' AND start_ns >= $since_ns AND start_ns < $until_ns
  )
ORDER BY spans
