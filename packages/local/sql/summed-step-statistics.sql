-- What step-statistics.sql adds up, for all steps or for $step_id alone without groups: how many spans of a step have the same
-- outcome and depth and are shorter than $too_long_ns or not, with the sum and the ends of their durations. From the summaries of
-- whole_slices and from rest_spans, which are all other spans. To add up the few rows here, and to have the names of steps, would
-- take twice as long.
WITH alike AS (
  SELECT step_id, outcome, depth, is_short, spans, sum_ns, min_ns, max_ns
  FROM slice_steps
  WHERE whole_slices
  UNION ALL
  SELECT step_id, outcome, depth, duration_ns < $too_long_ns, 1, duration_ns, duration_ns, duration_ns
  FROM rest_spans
  WHERE step_id IS NOT NULL AND start_ns >= $since_ns AND start_ns < $until_ns
)
SELECT
  step_id,
  outcome,
  depth,
  is_short,
  sum(spans)::BIGINT AS spans,
  sum(sum_ns)::BIGINT AS sum_ns,
  min(min_ns) AS min_ns,
  max(max_ns) AS max_ns
FROM alike
WHERE step_id > 0 AND ($step_id IS NULL OR step_id = $step_id)
GROUP BY step_id, outcome, depth, is_short
ORDER BY step_id, outcome, depth, is_short
