-- The $row_limit most frequent steps, except $other, of those that start from $since_ns to before $until_ns. With
-- $whole_conversations, steps that occur only outside the window in the same conversations come after them. names is the
-- number of all such steps.
WITH seen AS (
  SELECT DISTINCT trace_id
  FROM readable_spans
  WHERE $whole_conversations AND step_id > 0 AND start_ns >= $since_ns AND start_ns < $until_ns
),
occurring AS (
  SELECT step_id, count(*) FILTER (start_ns >= $since_ns AND start_ns < $until_ns) AS spans
  FROM readable_spans
  WHERE step_id > 0
    AND ((start_ns >= $since_ns AND start_ns < $until_ns) OR trace_id IN (SELECT trace_id FROM seen))
  GROUP BY step_id
)
SELECT step_id, step, count(*) OVER () AS names
FROM occurring
JOIN steps USING (step_id)
WHERE step <> $other
ORDER BY spans DESC, step
LIMIT $row_limit
