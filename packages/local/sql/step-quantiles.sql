-- Quantiles of the durations of the counted spans of each step, or of $step_id alone, for each of $probabilities, by linear
-- interpolation.
WITH quantiles AS (
  SELECT step_id, group_id, quantile_cont(duration_ns, $probabilities) AS quantiles_ns
  FROM grouped_spans
  WHERE step_id > 0 AND start_ns >= $since_ns AND start_ns < $until_ns
    AND ($step_id IS NULL OR step_id = $step_id)
    AND outcome = 'completed' AND duration_ns < $too_long_ns
  GROUP BY step_id, group_id
)
SELECT step, group_id, quantiles_ns
FROM quantiles
JOIN steps USING (step_id)
ORDER BY step, group_id
