-- One row a conversation with a step from {since} to before {until} or a start in it: oldest first, then by trace id.
SELECT
  leftPad(lower(hex(trace)), 32, '0') AS trace_id,
  first_ns,
  starts_within,
  arrayElement(['failed', 'timed_out', 'abandoned', 'interrupted', 'completed', 'open'], outcome_number) AS outcome,
  (bitAnd(last_key, toInt64(9223372036854775807)) - first_ns) / 1e6 AS duration_ms,
  step_sum_ns / 1e6 AS step_sum_ms,
  if(
    response_key = 18446744073709551615,
    NULL,
    reinterpretAsFloat64(bitAnd(response_key, toUInt64(9223372036854775807))) * 1000
  ) AS response_ms,
  group_mask
FROM (
  SELECT
    -- A trace id as a number, which is quicker than the text; byteSwap gives it the same order.
    reinterpretAsUInt128(unhex(trace_id)) AS trace_key,
    byteSwap(trace_key) AS trace,
    -- One minimum and one maximum for steps and roots, see largest-conversations.sql; of the latency, see
    -- response-statistics.sql.
    min(start_ns + is_step * toInt64(-9223372036854775808)) AS first_key,
    bitAnd(first_key, toInt64(9223372036854775807)) AS first_ns,
    first_ns >= {since_ns:Int64} AND first_ns < {until_ns:Int64} AS starts_within,
    -- The worst outcome of its roots.
    min(
      if(is_root, indexOf(['failed', 'timed_out', 'abandoned', 'interrupted', 'completed'], outcome), 6)
    ) AS outcome_number,
    max(start_ns + duration_ns + (NOT is_step) * toInt64(-9223372036854775808)) AS last_key,
    sumIf(duration_ns, is_step AND depth = 0) AS step_sum_ns,
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
    /* groups */ ) AS group_mask
    /* whole */ 1 AS group_mask
  FROM reached_spans
  WHERE is_step OR is_root
  GROUP BY trace_key
  HAVING starts_within OR max(is_step AND start_ns >= {since_ns:Int64} AND start_ns < {until_ns:Int64})
)
ORDER BY first_ns, trace
