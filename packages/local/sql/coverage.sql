-- The spans that start from $since_ns to before $until_ns, and the conversations among them.
SELECT
  count(*) AS spans,
  count(DISTINCT trace_id) FILTER (role <> 'other') AS conversations
FROM readable_spans
WHERE start_ns >= $since_ns AND start_ns < $until_ns
