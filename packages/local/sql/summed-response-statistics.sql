-- The same as response-statistics.sql without groups, from the table response_latencies.
-- The quantiles stand apart, because together with other aggregates they take twice as long.
SELECT 0 AS group_id, conversations, average_s, min_s, max_s, quantiles_s
FROM (
  SELECT count(*) AS conversations, avg(response_s) AS average_s, min(response_s) AS min_s, max(response_s) AS max_s
  FROM response_latencies
)
CROSS JOIN (SELECT quantile_cont(response_s, $probabilities) AS quantiles_s FROM response_latencies)
WHERE conversations > 0
ORDER BY group_id
