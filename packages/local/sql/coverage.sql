-- The spans that start from $since_ns to before $until_ns, and the conversations among them.
SELECT
  (SELECT count(*) FROM readable_spans WHERE start_ns >= $since_ns AND start_ns < $until_ns) AS spans,
  (
    SELECT count(DISTINCT trace_id)
    FROM readable_spans
    WHERE role <> 'other' AND start_ns >= $since_ns AND start_ns < $until_ns
  ) AS conversations
