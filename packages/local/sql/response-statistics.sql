-- Statistics of the response latency by group, over the conversations that start from $since_ns to before $until_ns and have
-- one: the smallest of their steps or, if none has one, of their roots. Quantiles for each of $probabilities, by linear
-- interpolation.
-- A conversation starts with its first step or, without steps, with its root.
WITH latencies AS (
  SELECT
    coalesce(min(start_ns) FILTER (step_id > 0), min(start_ns)) AS first_ns,
    coalesce(min(response_latency_s) FILTER (step_id > 0), min(response_latency_s)) AS response_s,
    coalesce(bit_or(1 << group_id::INTEGER) FILTER (step_id > 0), bit_or(1 << group_id::INTEGER)) AS all_groups,
    -- In no group only if none of its steps has a value.
    coalesce(nullif(all_groups & ~$no_group::INTEGER, 0), all_groups) AS group_mask
  FROM grouped_spans
  WHERE step_id IS NOT NULL
    -- If no conversation has a latency, this finds out in a twentieth of the time.
    AND EXISTS (SELECT 1 FROM readable_spans WHERE step_id IS NOT NULL AND response_latency_s IS NOT NULL)
  GROUP BY trace_id
  HAVING response_s IS NOT NULL
)
SELECT
  group_id,
  count(*) AS conversations,
  avg(response_s) AS average_s,
  min(response_s) AS min_s,
  max(response_s) AS max_s,
  quantile_cont(response_s, $probabilities) AS quantiles_s
FROM latencies
JOIN (SELECT unnest(range($groups::INTEGER))::INTEGER AS group_id) ON group_mask & (1 << group_id) <> 0
WHERE first_ns >= $since_ns AND first_ns < $until_ns
GROUP BY group_id
ORDER BY group_id
