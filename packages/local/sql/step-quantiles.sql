-- Quantiles of each step's counted spans, or of $step's alone, by linear interpolation, for each rank of $ranks.
SELECT step, quantile_cont(duration_ns, $ranks) AS quantiles_ns
FROM readable_spans
WHERE role = 'step' AND start_ns >= $since_ns AND start_ns < $until_ns AND ($step IS NULL OR step = $step)
  AND outcome = 'completed' AND duration_ns < $too_long_ns
GROUP BY step
ORDER BY step
