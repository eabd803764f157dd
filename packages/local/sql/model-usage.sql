-- What model calls used in the conversations that start from $since_ns to before $until_ns: one row per step, model and value
-- of what $by names, for calls that recorded the same amounts, each of which is absent, 0 or more.
-- A conversation starts with its first step or, without steps, with its root.
WITH seen AS (
  SELECT DISTINCT trace_id
  FROM readable_spans
  WHERE step_id IS NOT NULL AND start_ns >= $since_ns AND start_ns < $until_ns
),
conversations AS (
  SELECT
    trace_id,
    coalesce(min(start_ns) FILTER (step_id > 0), min(start_ns) FILTER (step_id = 0)) AS first_ns,
    CASE WHEN $by = 'day' THEN first_ns // 900000000000 END AS quarter_hour,
    coalesce(
      min(workflow) FILTER ($by = 'workflow' AND step_id = 0),
      min(workflow) FILTER ($by = 'workflow' AND step_id > 0),
      min(workflow) FILTER ($by = 'workflow')
    ) AS conversation_workflow,
    coalesce(
      min(session_id) FILTER ($by = 'session' AND step_id = 0),
      min(session_id) FILTER ($by = 'session' AND step_id > 0),
      min(session_id) FILTER ($by = 'session')
    ) AS conversation_session_id
  FROM readable_spans
  WHERE trace_id IN (SELECT trace_id FROM seen)
  GROUP BY trace_id
  HAVING first_ns >= $since_ns AND first_ns < $until_ns
),
sums AS (
  SELECT
    quarter_hour,
    conversation_workflow,
    conversation_session_id,
    step_id,
    model,
    [sign(input_tokens), sign(output_tokens), sign(input_chars), sign(audio_s)] AS recorded,
    count(*) AS calls,
    sum(input_tokens) AS input_tokens,
    sum(output_tokens) AS output_tokens,
    sum(input_chars) AS input_chars,
    sum(audio_s) AS audio_s
  FROM readable_spans
  JOIN conversations USING (trace_id)
  WHERE step_id > 0
    AND (
      provider IS NOT NULL OR model IS NOT NULL OR input_tokens IS NOT NULL OR output_tokens IS NOT NULL
      OR input_chars IS NOT NULL OR audio_s IS NOT NULL
    )
  GROUP BY ALL
)
SELECT
  quarter_hour,
  conversation_workflow AS workflow,
  conversation_session_id AS session_id,
  step,
  model,
  calls,
  input_tokens,
  output_tokens,
  input_chars,
  audio_s
FROM sums
JOIN steps USING (step_id)
ORDER BY quarter_hour, workflow, session_id, step, model, recorded
