-- The $row_limit most frequent values of the attribute by which spans are grouped, on the steps (or only on $step_id) that
-- start from $since_ns to before $until_ns.
SELECT attribute_value AS value, count(*) AS spans
FROM grouped_spans
WHERE step_id > 0 AND start_ns >= $since_ns AND start_ns < $until_ns AND attribute_value IS NOT NULL
  AND ($step_id IS NULL OR step_id = $step_id)
GROUP BY attribute_value
ORDER BY spans DESC, value
LIMIT $row_limit
