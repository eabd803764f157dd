-- The newest {row_limit} conversations that start from {since} to before {until}, that last longer than {above_ns}.
-- A conversation starts with its first step; where it has none, with its root; it ends likewise.
SELECT trace_id, coalesce(minOrNullIf(start_ns, is_step), min(start_ns)) AS first_ns
FROM touched_spans
WHERE is_step OR is_root
GROUP BY trace_id
HAVING first_ns >= {since_ns:Int64} AND first_ns < {until_ns:Int64}
  AND coalesce(maxOrNullIf(start_ns + duration_ns, is_step), max(start_ns + duration_ns)) - first_ns > {above_ns:Int64}
ORDER BY first_ns DESC, trace_id
LIMIT {row_limit:UInt64}
