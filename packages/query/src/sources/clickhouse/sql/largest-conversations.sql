-- The traces of the {row_limit} largest conversations that start from {since} to before {until} and are larger than
-- {above_ns}; equal ones newest first. By {size_order}: 'longest', from start to end; 'slowest', the same without those
-- that are open; 'slowest-response', by response latency. At least one row, without a trace where there is none; each has
-- how many conversations are seen in the window at all.
-- A conversation starts with its first step; where it has none, with its root.
WITH sized AS (
  SELECT
    -- A trace id as a number, which is quicker than the text and has the same order.
    reinterpretAsUInt128(reverse(unhex(trace_id))) AS trace,
    coalesce(minOrNullIf(start_ns, is_step), min(start_ns)) AS first_ns,
    coalesce(maxOrNullIf(start_ns + duration_ns, is_step), max(start_ns + duration_ns)) - first_ns AS lasted_ns,
    max(is_root) AS has_root,
    coalesce(minOrNullIf(response_latency_s, is_step), minOrNull(response_latency_s)) AS response_s,
    toNullable(
      multiIf(
        {size_order:String} = 'slowest-response', toInt64(round(response_s * 1000 * 1e6)),
        {size_order:String} = 'longest' OR has_root, lasted_ns,
        NULL
      )
    ) AS size_ns
  FROM reached_spans
  WHERE is_step OR is_root
  GROUP BY trace
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
