-- How long the counted spans of each step, or of {step} alone, took to their first output, where they say so: mean, and
-- quantiles by linear interpolation.
SELECT
  step,
  group_id,
  count() AS counted,
  avg(time_to_first_output_s) AS average_s,
  quantilesExactInclusive(0.5)(assumeNotNull(time_to_first_output_s)) AS quantiles_s
FROM window_spans
WHERE is_step AND ({step:Nullable(String)} IS NULL OR step = {step:Nullable(String)})
  AND outcome = 'completed' AND duration_ns < {too_long_ns:Int64}
  AND time_to_first_output_s IS NOT NULL
GROUP BY step, group_id
ORDER BY step, group_id
