-- The traces of the {row_limit} largest conversations that start from {since} to before {until} and are larger than
-- {above_ns}; equal ones newest first. By {size_order}: 'longest', from start to end; 'slowest', the same without those
-- that are open; 'slowest-response', by response latency. The last row has no trace. Each has how many conversations are
-- seen in the window at all, and what window.sql tells of its spans.
-- A conversation starts with its first step; where it has none, with its root.
WITH bitNot(toUInt256(0)) AS no_trace,
sized AS (
  SELECT
    -- A trace id as a number, which is quicker than the text; byteSwap gives it the same order. Spans that are neither a
    -- step nor a root are only counted, all in one group.
    if(is_step OR is_root, reinterpretAsUInt128(unhex(trace_id)), toUInt128(0)) AS trace_key,
    byteSwap(trace_key) AS trace,
    -- One minimum and one maximum for steps and roots: the sign bit sets steps before roots, which only count where there
    -- is no step. Two conditional ones take several times as long.
    min(start_ns + is_step * toInt64(-9223372036854775808)) AS first_key,
    bitAnd(first_key, toInt64(9223372036854775807)) AS first_ns,
    /* duration */ max(start_ns + duration_ns + (NOT is_step) * toInt64(-9223372036854775808)) AS last_key,
    /* duration */ max(is_root) AS has_root,
    /* duration */ if({size_order:String} = 'longest' OR has_root, bitAnd(last_key, toInt64(9223372036854775807)) - first_ns, NULL) AS size_ns,
    -- Likewise of the latency, see response-statistics.sql.
    /* response */ min(
    /* response */   multiIf(
    /* response */     response_latency_s IS NULL, toUInt64(18446744073709551615),
    /* response */     is_step, reinterpretAsUInt64(abs(assumeNotNull(response_latency_s))),
    /* response */     reinterpretAsUInt64(abs(assumeNotNull(response_latency_s))) + toUInt64(9223372036854775808)
    /* response */   )
    /* response */ ) AS response_key,
    /* response */ reinterpretAsFloat64(bitAnd(response_key, toUInt64(9223372036854775807))) AS response_s,
    /* response */ if(response_key = 18446744073709551615, NULL, toInt64(round(response_s * 1000 * 1e6))) AS size_ns,
    max(is_within AND (is_step OR is_root)) AS is_seen,
    max(is_within AND sampling_ratio IS NOT NULL) AS has_ratio,
    sum(is_within) AS spans,
    min(if(is_within, start_ns, toInt64(9223372036854775807))) AS oldest_ns,
    max(if(is_within, start_ns, toInt64(0))) AS newest_ns
  FROM (SELECT *, start_ns >= {since_ns:Int64} AND start_ns < {until_ns:Int64} AS is_within FROM reached_spans)
  GROUP BY trace_key
)
-- A conversation is one number, smaller the earlier it comes: 64 bits of its size and 64 of its start, both from above, then
-- the 128 of its trace id (the factors are 2^192 and 2^128). Sorting tuples takes several times as long.
SELECT if(one = no_trace, NULL, leftPad(lower(hex(toUInt128(one))), 32, '0')) AS trace_id, seen, spans, oldest_ns, newest_ns, has_ratios
FROM (
  SELECT
    groupArraySortedIf({row_limit:UInt64})(
      toUInt256(toInt64(9223372036854775807) - assumeNotNull(size_ns)) * toUInt256('6277101735386680763835789423207666416102355444464034512896')
      + toUInt256(toInt64(9223372036854775807) - first_ns) * toUInt256('340282366920938463463374607431768211456')
      + trace,
      is_larger
    ) AS largest,
    countIf(is_seen) AS seen,
    sum(sized.spans) AS spans,
    min(sized.oldest_ns) AS oldest_ns,
    max(sized.newest_ns) AS newest_ns,
    max(has_ratio) AS has_ratios
  FROM (
    SELECT
      *,
      is_seen AND first_ns >= {since_ns:Int64} AND first_ns < {until_ns:Int64}
        AND ifNull(size_ns > {above_ns:Int64}, false) AS is_larger
    FROM sized
  ) AS sized
)
ARRAY JOIN arrayPushBack(largest, no_trace) AS one
ORDER BY one
