-- The same as conversation-counts.sql, from summed_conversations.
WITH conversations AS (
  SELECT coalesce(first_step_ns, first_root_ns) AS first_ns, is_seen
  FROM summed_conversations
)
SELECT
  CASE WHEN first_ns >= $since_ns AND first_ns < $until_ns THEN first_ns // 900000000000 END AS quarter_hour,
  count(*) AS conversations,
  count(*) FILTER (is_seen) AS seen
FROM conversations
GROUP BY quarter_hour
ORDER BY quarter_hour
