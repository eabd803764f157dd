-- The mean of each named part over the counted spans of each step, or of $step_id alone, that have it.
WITH means AS (
  SELECT step_id, group_id, timing.key AS part, avg(timing.value) AS average_s
  FROM (
    SELECT step_id, group_id, unnest(map_entries(timings_s)) AS timing
    FROM grouped_spans
    WHERE step_id > 0 AND start_ns >= $since_ns AND start_ns < $until_ns
      AND outcome = 'completed' AND duration_ns < $too_long_ns
      AND timings_s IS NOT NULL
  )
  GROUP BY step_id, group_id, part
)
SELECT step, group_id, part, average_s
FROM means
JOIN steps USING (step_id)
WHERE $step_id IS NULL OR step_id = $step_id
ORDER BY step, group_id, part
