-- The time to first output of the counted spans of each step, or of $step_id alone, that have one: mean, and quantiles for each
-- of $probabilities, by linear interpolation.
WITH first_outputs AS (
  SELECT
    step_id,
    group_id,
    count(*) AS counted,
    avg(time_to_first_output_s) AS average_s,
    quantile_cont(time_to_first_output_s, $probabilities) AS quantiles_s
  FROM grouped_spans
  WHERE step_id > 0 AND start_ns >= $since_ns AND start_ns < $until_ns
    AND ($step_id IS NULL OR step_id = $step_id)
    AND outcome = 'completed' AND duration_ns < $too_long_ns
    AND time_to_first_output_s IS NOT NULL
  GROUP BY step_id, group_id
)
SELECT step, group_id, counted, average_s, quantiles_s
FROM first_outputs
JOIN steps USING (step_id)
ORDER BY step, group_id
