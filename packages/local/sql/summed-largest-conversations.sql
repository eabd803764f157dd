-- The same as largest-conversations.sql, from summed_conversations.
WITH conversations AS MATERIALIZED (
  SELECT
    trace_id,
    coalesce(first_step_ns, first_root_ns) AS first_ns,
    CASE
      WHEN $size_order = 'slowest-response' THEN
        round(coalesce(step_response_s, root_response_s) * 1000 * 1e6)::BIGINT
      WHEN $size_order = 'longest' OR first_root_ns IS NOT NULL THEN coalesce(last_step_ns, last_root_ns) - first_ns
    END AS size_ns,
    is_seen
  FROM summed_conversations
),
largest AS (
  SELECT trace_id, first_ns, size_ns
  FROM conversations
  WHERE first_ns >= $since_ns AND first_ns < $until_ns AND size_ns > $above_ns
  ORDER BY size_ns DESC, first_ns DESC, trace_id
  LIMIT $row_limit
)
SELECT trace_id, seen
FROM (SELECT count(*) FILTER (is_seen) AS seen FROM conversations)
LEFT JOIN largest ON true
ORDER BY size_ns DESC, first_ns DESC, trace_id
