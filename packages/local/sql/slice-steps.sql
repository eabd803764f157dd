-- The rows of slice_steps for spans_to_sum_up, which stands for a table or a subquery of whole slices.
SELECT
  arrival >> 14 AS slice,
  step_id,
  outcome,
  depth,
  duration_ns < 60000000000 AS is_short,
  count(*) AS spans,
  CASE WHEN is_short THEN sum(duration_ns) END AS sum_ns,
  CASE WHEN is_short THEN min(duration_ns) END AS min_ns,
  CASE WHEN is_short THEN max(duration_ns) END AS max_ns
FROM spans_to_sum_up
WHERE step_id IS NOT NULL
GROUP BY slice, step_id, outcome, depth, is_short
ORDER BY slice, step_id, outcome, depth, is_short
