-- The same as model-usage.sql without groups, from counted_spans, which stands for a subquery: the spans of the conversations
-- that start in the window. Whether a span is a call is judged by group, because a condition that one of six columns is not
-- null takes as long as half of the sums.
WITH sums AS (
  SELECT
    step_id,
    model,
    sign(input_tokens) AS recorded_input_tokens,
    sign(output_tokens) AS recorded_output_tokens,
    sign(input_chars) AS recorded_input_chars,
    sign(audio_s) AS recorded_audio_s,
    count(*) AS spans,
    count(provider) AS spans_with_provider,
    sum(input_tokens) AS input_tokens,
    sum(output_tokens) AS output_tokens,
    sum(input_chars) AS input_chars,
    sum(audio_s) AS audio_s
  FROM counted_spans
  WHERE step_id > 0
  GROUP BY ALL
)
SELECT
  NULL::BIGINT AS quarter_hour,
  NULL::VARCHAR AS workflow,
  NULL::VARCHAR AS session_id,
  step,
  model,
  CASE WHEN coalesce(
    model, recorded_input_tokens::VARCHAR, recorded_output_tokens::VARCHAR, recorded_input_chars::VARCHAR,
    recorded_audio_s::VARCHAR
  ) IS NULL THEN spans_with_provider ELSE spans END AS calls,
  input_tokens,
  output_tokens,
  input_chars,
  audio_s
FROM sums
JOIN steps USING (step_id)
WHERE calls > 0
ORDER BY step, model, recorded_input_tokens, recorded_output_tokens, recorded_input_chars, recorded_audio_s
