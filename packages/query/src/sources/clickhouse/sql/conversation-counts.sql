-- How many conversations start in each quarter of an hour of UTC, from {since} to before {until}, and how many are seen
-- in it at all; those that start elsewhere have no quarter.
-- A conversation starts with its first step; where it has none, with its root.
WITH seen_conversations AS (
  -- One minimum for steps and roots, see largest-conversations.sql.
  SELECT bitAnd(min(start_ns + is_step * toInt64(-9223372036854775808)), toInt64(9223372036854775807)) AS first_ns
  FROM reached_spans
  WHERE is_step OR is_root
  GROUP BY reinterpretAsUInt128(unhex(trace_id))
  HAVING max(start_ns >= {since_ns:Int64} AND start_ns < {until_ns:Int64})
)
SELECT
  if(first_ns >= {since_ns:Int64} AND first_ns < {until_ns:Int64}, intDiv(first_ns, 900000000000), NULL) AS quarter_hour,
  count() AS conversations,
  count() AS seen
FROM seen_conversations
GROUP BY quarter_hour
ORDER BY quarter_hour
