-- Numbers of each step over its spans that start from {since} to before {until}. In the row without a step are the spans
-- that are none; all rows together tell what window.sql tells of spans.
-- Counted are the completed ones shorter than {too_long_ns}, of all steps or of {step} alone. Quantiles by linear
-- interpolation.
SELECT
  step,
  -- A second key, even if it is always the same, makes grouping take twice as long.
  /* groups */ group_id,
  /* whole */ 0 AS group_id,
  count() AS total,
  countIf(outcome = 'completed') AS completed,
  countIf(outcome IN ('failed', 'timed_out', 'abandoned')) AS failures,
  countIf(is_counted) AS counted,
  sumIf(duration_ns, is_counted) / nullIf(counted, 0) AS average_ns,
  minIf(duration_ns, is_counted) AS min_ns,
  maxIf(duration_ns, is_counted) AS max_ns,
  sumIf(duration_ns, is_counted AND depth = 0) AS outermost_ns,
  /* quantiles */ quantilesExactInclusiveIf(0.5)(duration_ns, is_counted) AS quantiles_ns,
  -- Taking in an empty map takes nearly as long as one with a value.
  /* timings */ avgMapIf(timings_s::Map(String, Float64), is_counted AND notEmpty(timings_s)) AS parts,
  /* first-output */ countIf(has_output) AS outputs,
  /* first-output */ avgIf(assumeNotNull(time_to_first_output_s), has_output) AS first_output_s,
  /* first-output */ quantilesExactInclusiveIf(0.5)(assumeNotNull(time_to_first_output_s), has_output) AS first_outputs_s,
  groupUniqArrayIf((service_name::String, assumeNotNull(sampling_ratio)), sampling_ratio IS NOT NULL) AS programs,
  min(start_ns) AS oldest_ns,
  max(start_ns) AS newest_ns
FROM (
  SELECT
    step, group_id, outcome, depth, duration_ns, start_ns, service_name, sampling_ratio,
    /* timings */ timings_s,
    /* first-output */ time_to_first_output_s,
    /* first-output */ is_counted AND time_to_first_output_s IS NOT NULL AS has_output,
    is_step AND outcome = 'completed' AND duration_ns < {too_long_ns:Int64}
      -- Without ifNull it might be null, which takes longer.
      AND ({step:Nullable(String)} IS NULL OR step = ifNull({step:Nullable(String)}, '')) AS is_counted
  FROM window_spans
)
GROUP BY
  /* groups */ group_id,
  step
ORDER BY step, group_id
