-- One row a conversation with a step from {since} to before {until} or a start in it: oldest first, then by trace id.
SELECT
  trace_id,
  coalesce(minOrNullIf(start_ns, is_step), min(start_ns)) AS first_ns,
  first_ns >= {since_ns:Int64} AND first_ns < {until_ns:Int64} AS starts_within,
  -- The worst outcome of its roots.
  arrayElement(
    ['failed', 'timed_out', 'abandoned', 'interrupted', 'completed', 'open'],
    coalesce(
      minOrNullIf(indexOf(['failed', 'timed_out', 'abandoned', 'interrupted', 'completed'], outcome), is_root),
      6
    )
  ) AS outcome,
  (coalesce(maxOrNullIf(start_ns + duration_ns, is_step), max(start_ns + duration_ns)) - first_ns) / 1e6 AS duration_ms,
  sumIf(duration_ns, is_step AND depth = 0) / 1e6 AS step_sum_ms,
  coalesce(minOrNullIf(response_latency_s, is_step), minOrNull(response_latency_s)) * 1000 AS response_ms,
  if(
    max(is_step),
    groupBitOrIf(bitShiftLeft(toUInt32(1), group_id), is_step),
    groupBitOr(bitShiftLeft(toUInt32(1), group_id))
  ) AS group_mask
FROM reached_spans
WHERE is_step OR is_root
GROUP BY trace_id
HAVING starts_within OR max(is_step AND start_ns >= {since_ns:Int64} AND start_ns < {until_ns:Int64})
ORDER BY first_ns, trace_id
