-- What calls used in the conversations that start from {since} to before {until}: one row for each step, each of the
-- names that it called, and each value of what {by} says, for the calls that recorded the same amounts: each absent, 0 or
-- more.
-- A conversation starts with its first step; where it has none, with its root.
WITH conversations AS (
  SELECT
    trace_id AS conversation,
    coalesce(minOrNullIf(start_ns, is_step), minOrNullIf(start_ns, is_root)) AS first_ns,
    if({by:String} = 'day', intDiv(first_ns, 900000000000), NULL) AS quarter_hour,
    coalesce(
      minOrNullIf(workflow, {by:String} = 'workflow' AND workflow != '' AND is_root),
      minOrNullIf(workflow, {by:String} = 'workflow' AND workflow != '' AND is_step),
      minOrNullIf(workflow, {by:String} = 'workflow' AND workflow != '')
    ) AS conversation_workflow,
    coalesce(
      minOrNullIf(session_id, {by:String} = 'session' AND session_id != '' AND is_root),
      minOrNullIf(session_id, {by:String} = 'session' AND session_id != '' AND is_step),
      minOrNullIf(session_id, {by:String} = 'session' AND session_id != '')
    ) AS conversation_session_id
  FROM reached_spans
  GROUP BY conversation
  HAVING first_ns >= {since_ns:Int64} AND first_ns < {until_ns:Int64}
),
calls AS (
  SELECT
    trace_id,
    step,
    nullIf(attributes['gen_ai.request.model'], '') AS called_model,
    toInt32OrNull(attributes['gen_ai.usage.input_tokens']) AS in_tokens,
    toInt32OrNull(attributes['gen_ai.usage.output_tokens']) AS out_tokens,
    toInt32OrNull(attributes['conversation.input.chars']) AS in_chars,
    toFloat64OrNull(attributes['conversation.audio.duration']) AS heard_s,
    if(in_tokens >= 0, in_tokens, NULL) AS own_input_tokens,
    if(out_tokens >= 0, out_tokens, NULL) AS own_output_tokens,
    if(in_chars >= 0, in_chars, NULL) AS own_input_chars,
    if(isFinite(heard_s) AND heard_s >= 0, heard_s, NULL) AS own_audio_s
  FROM reached_spans
  WHERE is_step
    AND (
      attributes['gen_ai.provider.name'] != '' OR called_model IS NOT NULL OR own_input_tokens IS NOT NULL
      OR own_output_tokens IS NOT NULL OR own_input_chars IS NOT NULL OR own_audio_s IS NOT NULL
    )
)
SELECT
  quarter_hour,
  conversation_workflow AS workflow,
  conversation_session_id AS session_id,
  step,
  called_model AS model,
  count() AS calls,
  sum(own_input_tokens) AS input_tokens,
  sum(own_output_tokens) AS output_tokens,
  sum(own_input_chars) AS input_chars,
  sum(own_audio_s) AS audio_s
FROM calls
INNER JOIN conversations ON calls.trace_id = conversations.conversation
GROUP BY
  quarter_hour, conversation_workflow, conversation_session_id, step, called_model,
  ifNull(sign(own_input_tokens), -1) AS recorded_input_tokens,
  ifNull(sign(own_output_tokens), -1) AS recorded_output_tokens,
  ifNull(sign(own_input_chars), -1) AS recorded_input_chars,
  ifNull(sign(own_audio_s), -1) AS recorded_audio_s
ORDER BY
  quarter_hour, conversation_workflow, conversation_session_id, step, called_model,
  recorded_input_tokens, recorded_output_tokens, recorded_input_chars, recorded_audio_s
