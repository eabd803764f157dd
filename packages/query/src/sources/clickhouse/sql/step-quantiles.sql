-- Quantiles of each step's counted spans, or of {step}'s alone, by linear interpolation.
SELECT step, group_id, quantilesExactInclusive(0.5)(duration_ns) AS quantiles_ns
FROM window_spans
WHERE is_step AND ({step:Nullable(String)} IS NULL OR step = {step:Nullable(String)})
  AND outcome = 'completed' AND duration_ns < {too_long_ns:Int64}
GROUP BY step, group_id
ORDER BY step, group_id
