-- Means of each named part over the counted spans of each step, or of $step alone, that have it.
SELECT step, timing.key AS part, avg(timing.value) AS average_s
FROM (
  SELECT step, unnest(map_entries(timings_s)) AS timing
  FROM readable_spans
  WHERE role = 'step' AND start_ns >= $since_ns AND start_ns < $until_ns AND ($step IS NULL OR step = $step)
    AND outcome = 'completed' AND duration_ns < $too_long_ns
    AND timings_s IS NOT NULL
)
GROUP BY step, part
ORDER BY step, part
