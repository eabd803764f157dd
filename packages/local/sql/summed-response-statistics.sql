-- The same as response-statistics.sql without groups, from summed_conversations.
WITH latencies AS (
  SELECT coalesce(step_response_s, root_response_s) AS response_s
  FROM summed_conversations
  WHERE coalesce(first_step_ns, first_root_ns) >= $since_ns AND coalesce(first_step_ns, first_root_ns) < $until_ns
)
SELECT
  0 AS group_id,
  count(*) AS conversations,
  avg(response_s) AS average_s,
  min(response_s) AS min_s,
  max(response_s) AS max_s,
  quantile_cont(response_s, $probabilities) AS quantiles_s
FROM latencies
WHERE response_s IS NOT NULL
HAVING conversations > 0
ORDER BY group_id
