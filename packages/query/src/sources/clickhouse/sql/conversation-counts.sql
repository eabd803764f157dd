-- How many conversations start in each quarter of an hour of UTC, from {since} to before {until}, and how many are seen
-- in it at all; those that start elsewhere have no quarter. All rows together tell what window.sql tells of spans.
-- A conversation starts with its first step; where it has none, with its root.
WITH started_conversations AS (
  SELECT
    -- Spans that are neither a step nor a root are only counted, all in one group.
    if(is_step OR is_root, reinterpretAsUInt128(unhex(trace_id)), toUInt128(0)) AS trace,
    -- One minimum for steps and roots, see largest-conversations.sql.
    bitAnd(min(start_ns + is_step * toInt64(-9223372036854775808)), toInt64(9223372036854775807)) AS first_ns,
    max(is_within AND (is_step OR is_root)) AS is_seen,
    max(is_within AND sampling_ratio IS NOT NULL) AS has_ratio,
    sum(is_within) AS spans,
    min(if(is_within, start_ns, toInt64(9223372036854775807))) AS oldest_ns,
    max(if(is_within, start_ns, toInt64(0))) AS newest_ns
  FROM (SELECT *, start_ns >= {since_ns:Int64} AND start_ns < {until_ns:Int64} AS is_within FROM reached_spans)
  GROUP BY trace
)
SELECT
  if(is_seen AND first_ns >= {since_ns:Int64} AND first_ns < {until_ns:Int64}, intDiv(first_ns, 900000000000), NULL) AS quarter_hour,
  count() AS conversations,
  countIf(is_seen) AS seen,
  sum(started_conversations.spans) AS spans,
  min(started_conversations.oldest_ns) AS oldest_ns,
  max(started_conversations.newest_ns) AS newest_ns,
  max(has_ratio) AS has_ratios
FROM started_conversations
GROUP BY quarter_hour
ORDER BY quarter_hour
