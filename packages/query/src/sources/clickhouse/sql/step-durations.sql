-- One row a step, group and conversation of conversation-durations.sql. The last three columns take a look at more of each
-- span, so they are empty but with {traits}.
WITH judged AS (
  SELECT
    *,
    outcome = 'completed' AND duration_ns < {too_long_ns:Int64}
      AND start_ns >= {since_ns:Int64} AND start_ns < {until_ns:Int64} AS is_counted
  FROM (
    SELECT
      trace_id, step, group_id, outcome, duration_ns, start_ns,
      if({traits:Bool}, attributes['gen_ai.request.model'], '') AS own_model,
      {traits:Bool} AND attempt > 1 AS is_retry,
      if({traits:Bool}, toInt32OrNull(attributes['conversation.input.chars']), NULL) AS own_chars
    FROM reached_spans
    WHERE is_step
  )
)
SELECT
  trace_id,
  step,
  group_id,
  sumIf(duration_ns, is_counted) / 1e6 AS counted_ms,
  countIf(is_counted) AS counted,
  sumOrNullIf(duration_ns, outcome = 'completed') / 1e6 AS completed_ms,
  min(start_ns) AS first_ns,
  minIf(own_model, own_model != '') AS model,
  countIf(is_retry) AS retries,
  sumOrNullIf(own_chars, own_chars >= 0) AS input_chars
FROM judged
GROUP BY trace_id, step, group_id
ORDER BY trace_id, step, group_id
