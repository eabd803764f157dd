-- Quantiles of each step's counted spans, or of $step's alone, by linear interpolation, for each of $probabilities.
WITH quantiles AS (
  SELECT step_id, group_id, quantile_cont(duration_ns, $probabilities) AS quantiles_ns
  FROM grouped_spans
  WHERE step_id > 0 AND start_ns >= $since_ns AND start_ns < $until_ns
    AND ($step::VARCHAR IS NULL OR step_id = (SELECT step_id FROM steps WHERE step = $step))
    AND outcome = 'completed' AND duration_ns < $too_long_ns
  GROUP BY step_id, group_id
)
SELECT step, group_id, quantiles_ns
FROM quantiles
JOIN steps USING (step_id)
ORDER BY step, group_id
