-- One row a step, group and conversation of conversation-durations.sql, in any order: sorting them takes the server longer
-- than finding them. Only where traits are asked for, the last five columns are not empty: reading what they take costs as
-- much as all the rest.
SELECT
  leftPad(lower(hex(byteSwap(trace_key))), 32, '0') AS trace_id,
  step,
  group_id,
  counted_ns / 1e6 AS counted_ms,
  counted,
  completed_ns / 1e6 AS completed_ms,
  first_ns,
  model,
  retries,
  input_chars,
  first_output_s * 1e3 AS first_output_ms,
  first_outputs
FROM (
  SELECT
    -- A trace id as a number, which is quicker than the text.
    reinterpretAsUInt128(unhex(trace_id)) AS trace_key,
    step,
    -- A further key takes time, even if it is always the same.
    /* groups */ group_id,
    /* whole */ 0 AS group_id,
    sumIf(duration_ns, is_counted) AS counted_ns,
    countIf(is_counted) AS counted,
    if(max(outcome = 'completed'), sumIf(duration_ns, outcome = 'completed'), NULL) AS completed_ns,
    min(start_ns) AS first_ns,
    /* traits */ minIf(attributes['gen_ai.request.model'], attributes['gen_ai.request.model'] != '') AS model,
    /* traits */ countIf(attempt > 1) AS retries,
    /* traits */ sumOrNullIf(toInt32OrNull(attributes['conversation.input.chars']), toInt32OrNull(attributes['conversation.input.chars']) >= 0) AS input_chars,
    /* traits */ sumIf(ifNull(time_to_first_output_s, 0), is_counted) AS first_output_s,
    /* traits */ countIf(is_counted AND time_to_first_output_s IS NOT NULL) AS first_outputs
    /* no-traits */ '' AS model,
    /* no-traits */ 0 AS retries,
    /* no-traits */ NULL AS input_chars,
    /* no-traits */ 0 AS first_output_s,
    /* no-traits */ 0 AS first_outputs
  FROM (
    SELECT
      *,
      outcome = 'completed' AND duration_ns < {too_long_ns:Int64}
        AND start_ns >= {since_ns:Int64} AND start_ns < {until_ns:Int64} AS is_counted
    FROM reached_spans
    WHERE is_step
  )
  GROUP BY
    /* groups */ group_id,
    trace_key,
    step
)
