-- The same as step-timings.sql without groups, from the summaries of whole_slices and from rest_spans, which are all other spans.
WITH means AS (
  SELECT step_id, part, sum(sum_s) / sum(steps) AS average_s
  FROM (
    SELECT step_id, part, steps, sum_s
    FROM slice_timings
    WHERE whole_slices
    UNION ALL
    SELECT step_id, timing.key, 1, timing.value
    FROM (
      SELECT step_id, unnest(map_entries(timings_s)) AS timing
      FROM rest_spans
      WHERE step_id > 0 AND start_ns >= $since_ns AND start_ns < $until_ns
        AND outcome = 'completed' AND duration_ns < $too_long_ns
        AND timings_s IS NOT NULL
    )
  )
  GROUP BY step_id, part
)
SELECT step, 0 AS group_id, part, average_s
FROM means
JOIN steps USING (step_id)
WHERE $step_id IS NULL OR step_id = $step_id
ORDER BY step, group_id, part
