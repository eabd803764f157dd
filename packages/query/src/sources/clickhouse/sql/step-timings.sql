-- Means of each named part over the counted spans of each step, or of {step} alone, that have it.
SELECT step, group_id, part, avg(seconds) AS average_s
FROM window_spans
ARRAY JOIN mapKeys(timings_s) AS part, mapValues(timings_s) AS seconds
WHERE is_step AND ({step:Nullable(String)} IS NULL OR step = {step:Nullable(String)})
  AND outcome = 'completed' AND duration_ns < {too_long_ns:Int64}
GROUP BY step, group_id, part
ORDER BY step, group_id, part
