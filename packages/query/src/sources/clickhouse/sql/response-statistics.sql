-- Numbers of the response latency, group by group, over the conversations that start from {since} to before {until} and have one: the
-- smallest of their steps', else of their roots'; quantiles by linear interpolation. Without groups also seen, the
-- conversations that are seen in the window at all, and what window.sql tells of its spans.
-- A conversation starts with its first step; where it has none, with its root.
WITH latencies AS (
  SELECT
    -- A trace id as a number, which is quicker than the text. Spans that are neither a step nor a root are only counted,
    -- all in one group.
    if(is_step OR is_root, reinterpretAsUInt128(unhex(trace_id)), toUInt128(0)) AS trace,
    -- One minimum for steps and roots, see largest-conversations.sql; likewise of the latency, a number whose bits have its
    -- order: the highest bit sets steps before roots, and all bits say that there is none.
    min(start_ns + is_step * toInt64(-9223372036854775808)) AS first_key,
    bitAnd(first_key, toInt64(9223372036854775807)) AS first_ns,
    min(
      multiIf(
        response_latency_s IS NULL, toUInt64(18446744073709551615),
        is_step, reinterpretAsUInt64(abs(assumeNotNull(response_latency_s))),
        reinterpretAsUInt64(abs(assumeNotNull(response_latency_s))) + toUInt64(9223372036854775808)
      )
    ) AS response_key,
    /* groups */ if(
    /* groups */   max(is_step),
    /* groups */   groupBitOrIf(bitShiftLeft(toUInt32(1), group_id), is_step),
    /* groups */   groupBitOr(bitShiftLeft(toUInt32(1), group_id))
    /* groups */ ) AS all_groups,
    -- Without a value only where none of the steps has one.
    /* groups */ bitAnd(all_groups, bitNot(toUInt32({no_group:UInt32}))) AS groups_of_values,
    /* groups */ if(groups_of_values = 0, all_groups, groups_of_values) AS group_mask,
    max(is_within AND (is_step OR is_root)) AS is_seen,
    /* whole */ max(is_within AND sampling_ratio IS NOT NULL) AS has_ratio,
    /* whole */ sum(is_within) AS spans,
    /* whole */ min(if(is_within, start_ns, toInt64(9223372036854775807))) AS oldest_ns,
    /* whole */ max(if(is_within, start_ns, toInt64(0))) AS newest_ns,
    is_seen AND first_ns >= {since_ns:Int64} AND first_ns < {until_ns:Int64} AND response_key != 18446744073709551615 AS is_counted,
    reinterpretAsFloat64(bitAnd(response_key, toUInt64(9223372036854775807))) AS response_s
  FROM (SELECT *, start_ns >= {since_ns:Int64} AND start_ns < {until_ns:Int64} AS is_within FROM reached_spans)
  /* groups */ WHERE is_step OR is_root
  GROUP BY trace
)
SELECT
  /* groups */ group_id,
  /* whole */ 0 AS group_id,
  countIf(is_counted) AS conversations,
  avgIf(response_s, is_counted) AS average_s,
  minIf(response_s, is_counted) AS min_s,
  maxIf(response_s, is_counted) AS max_s,
  /* whole */ countIf(is_seen) AS seen,
  /* whole */ sum(latencies.spans) AS spans,
  /* whole */ min(latencies.oldest_ns) AS oldest_ns,
  /* whole */ max(latencies.newest_ns) AS newest_ns,
  /* whole */ max(has_ratio) AS has_ratios,
  quantilesExactInclusiveIf(0.5)(response_s, is_counted) AS quantiles_s
FROM latencies
/* groups */ ARRAY JOIN range({groups:UInt32}) AS group_id
/* groups */ WHERE bitAnd(group_mask, bitShiftLeft(toUInt32(1), group_id)) != 0
/* groups */ GROUP BY group_id
/* groups */ ORDER BY group_id
