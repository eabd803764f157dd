-- The traces of the {row_limit} largest conversations that start from {since} to before {until} and are larger than
-- {above_ns}; equal ones newest first. By {size_order}: 'longest', from start to end; 'slowest', the same without those
-- that are open; 'slowest-response', by response latency. At least one row, without a trace where there is none; each has
-- how many conversations are seen in the window at all.
-- A conversation starts with its first step; where it has none, with its root.
WITH sized AS (
  SELECT
    -- A trace id as a number, which is quicker than the text; byteSwap gives it the same order.
    reinterpretAsUInt128(unhex(trace_id)) AS trace_key,
    byteSwap(trace_key) AS trace,
    -- One minimum and one maximum for steps and roots: the sign bit sets steps before roots, which only count where there
    -- is no step. Two conditional ones take several times as long.
    min(start_ns + is_step * toInt64(-9223372036854775808)) AS first_key,
    bitAnd(first_key, toInt64(9223372036854775807)) AS first_ns,
    /* duration */ max(start_ns + duration_ns + (NOT is_step) * toInt64(-9223372036854775808)) AS last_key,
    /* duration */ max(is_root) AS has_root,
    /* duration */ if({size_order:String} = 'longest' OR has_root, bitAnd(last_key, toInt64(9223372036854775807)) - first_ns, NULL) AS size_ns
    -- Likewise of the latency, see response-statistics.sql.
    /* response */ min(
    /* response */   multiIf(
    /* response */     response_latency_s IS NULL, toUInt64(18446744073709551615),
    /* response */     is_step, reinterpretAsUInt64(abs(assumeNotNull(response_latency_s))),
    /* response */     reinterpretAsUInt64(abs(assumeNotNull(response_latency_s))) + toUInt64(9223372036854775808)
    /* response */   )
    /* response */ ) AS response_key,
    /* response */ reinterpretAsFloat64(bitAnd(response_key, toUInt64(9223372036854775807))) AS response_s,
    /* response */ if(response_key = 18446744073709551615, NULL, toInt64(round(response_s * 1000 * 1e6))) AS size_ns
  FROM reached_spans
  WHERE is_step OR is_root
  GROUP BY trace_key
  HAVING max(start_ns >= {since_ns:Int64} AND start_ns < {until_ns:Int64})
)
SELECT if(is_larger, leftPad(lower(hex(trace)), 32, '0'), NULL) AS trace_id, seen
FROM (
  SELECT
    trace,
    first_ns,
    size_ns,
    ifNull(first_ns >= {since_ns:Int64} AND first_ns < {until_ns:Int64} AND size_ns > {above_ns:Int64}, false) AS is_larger,
    count() OVER () AS seen
  FROM sized
  UNION ALL
  SELECT toUInt128(0), toInt64(0), NULL, false, toUInt64(0)
)
ORDER BY is_larger DESC, seen DESC, size_ns DESC, first_ns DESC, trace
LIMIT greatest({row_limit:UInt64}, 1)
