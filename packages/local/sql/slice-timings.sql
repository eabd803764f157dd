-- The rows of slice_timings for spans_to_sum_up, which stands for a table or a subquery of whole slices.
SELECT slice, step_id, timing.key AS part, count(*) AS steps, sum(timing.value) AS sum_s
FROM (
  SELECT arrival >> 14 AS slice, step_id, unnest(map_entries(timings_s)) AS timing
  FROM spans_to_sum_up
  WHERE step_id > 0 AND outcome = 'completed' AND duration_ns < 60000000000 AND timings_s IS NOT NULL
)
GROUP BY slice, step_id, part
ORDER BY slice, step_id, part
