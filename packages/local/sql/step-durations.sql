-- One row per step, group and conversation of conversation-durations.sql. The last five columns require reading more of each
-- span, so they are empty without $traits.
WITH seen AS (
  SELECT DISTINCT trace_id
  FROM readable_spans
  WHERE step_id > 0 AND start_ns >= $since_ns AND start_ns < $until_ns
),
durations AS (
  SELECT
    trace_id,
    step_id,
    group_id,
    coalesce(
      sum(duration_ns) FILTER (
        outcome = 'completed' AND duration_ns < $too_long_ns AND start_ns >= $since_ns AND start_ns < $until_ns
      ),
      0
    ) / 1e6 AS counted_ms,
    count(*) FILTER (
      outcome = 'completed' AND duration_ns < $too_long_ns AND start_ns >= $since_ns AND start_ns < $until_ns
    ) AS counted,
    sum(duration_ns) FILTER (outcome = 'completed') / 1e6 AS completed_ms,
    min(start_ns) AS first_ns,
    min(CASE WHEN $traits THEN nullif(model, '') END) AS model,
    count(*) FILTER ($traits AND attempt > 1) AS retries,
    sum(CASE WHEN $traits THEN input_chars END) AS input_chars,
    coalesce(
      sum(CASE WHEN $traits THEN time_to_first_output_s END) FILTER (
        outcome = 'completed' AND duration_ns < $too_long_ns AND start_ns >= $since_ns AND start_ns < $until_ns
      ),
      0
    ) * 1e3 AS first_output_ms,
    count(CASE WHEN $traits THEN time_to_first_output_s END) FILTER (
      outcome = 'completed' AND duration_ns < $too_long_ns AND start_ns >= $since_ns AND start_ns < $until_ns
    ) AS first_outputs
  FROM grouped_spans
  WHERE step_id > 0 AND trace_id IN (SELECT trace_id FROM seen)
  GROUP BY trace_id, step_id, group_id
)
SELECT
  trace_id,
  step,
  group_id,
  counted_ms,
  counted,
  completed_ms,
  first_ns,
  model,
  retries,
  input_chars,
  first_output_ms,
  first_outputs
FROM durations
JOIN steps USING (step_id)
ORDER BY trace_id, step, group_id
