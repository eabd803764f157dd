-- Numbers of the response latency, group by group, over the conversations that start from {since} to before {until} and have one: the
-- smallest of their steps', else of their roots'; quantiles by linear interpolation.
-- A conversation starts with its first step; where it has none, with its root.
WITH latencies AS (
  SELECT
    coalesce(minOrNullIf(start_ns, is_step), min(start_ns)) AS first_ns,
    coalesce(minOrNullIf(response_latency_s, is_step), minOrNull(response_latency_s)) AS response_s,
    if(
      max(is_step),
      groupBitOrIf(bitShiftLeft(toUInt32(1), group_id), is_step),
      groupBitOr(bitShiftLeft(toUInt32(1), group_id))
    ) AS all_groups,
    -- Without a value only where none of the steps has one.
    bitAnd(all_groups, bitNot(toUInt32({no_group:UInt32}))) AS groups_of_values,
    if(groups_of_values = 0, all_groups, groups_of_values) AS group_mask
  FROM reached_spans
  WHERE is_step OR is_root
  GROUP BY trace_id
  HAVING first_ns >= {since_ns:Int64} AND first_ns < {until_ns:Int64} AND response_s IS NOT NULL
)
SELECT
  group_id,
  count() AS conversations,
  avg(response_s) AS average_s,
  min(response_s) AS min_s,
  max(response_s) AS max_s,
  quantilesExactInclusive(0.5)(assumeNotNull(response_s)) AS quantiles_s
FROM latencies
ARRAY JOIN range({groups:UInt32}) AS group_id
WHERE bitAnd(group_mask, bitShiftLeft(toUInt32(1), group_id)) != 0
GROUP BY group_id
ORDER BY group_id
