-- How many spans of each step, or of $step_id alone, that start from $since_ns to before $until_ns were retried, and how many of
-- these had failed. Steps without a retried span have no row.
-- Within a conversation and a step, in order of start, each span of attempt k + 1 retries the latest span of attempt k that is
-- not completed and has not been retried. The count goes up for each such span of attempt k and down for each retry; a span
-- was retried if the count later falls below its value at that span, like brackets that close the one opened last.
WITH tried_again AS (
  SELECT DISTINCT trace_id, step_id
  FROM readable_spans
  WHERE attempt > 1 AND step_id > 0 AND start_ns >= $since_ns
    AND ($step_id IS NULL OR step_id = $step_id)
),
attempts AS (
  SELECT trace_id, step_id, group_id, span_id, start_ns, outcome, coalesce(attempt, 1) AS attempt
  FROM grouped_spans
  JOIN tried_again USING (trace_id, step_id)
),
changes AS (
  SELECT trace_id, step_id, group_id, attempt AS level, span_id, start_ns, 1 AS change, outcome
  FROM attempts
  WHERE outcome <> 'completed'
  UNION ALL
  SELECT trace_id, step_id, group_id, attempt - 1, span_id, start_ns, -1, NULL
  FROM attempts
  WHERE attempt > 1
),
counted AS (
  SELECT
    *,
    sum(change) OVER (
      PARTITION BY trace_id, step_id, level
      ORDER BY start_ns, change DESC, span_id
      ROWS UNBOUNDED PRECEDING
    ) AS waiting
  FROM changes
),
looked_ahead AS (
  SELECT
    *,
    min(waiting) OVER (
      PARTITION BY trace_id, step_id, level
      ORDER BY start_ns, change DESC, span_id
      ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING
    ) AS least_waiting_later
  FROM counted
)
SELECT
  step,
  group_id,
  count(*) AS retried,
  count(*) FILTER (outcome IN ('failed', 'timed_out', 'abandoned')) AS retried_failures
FROM looked_ahead
JOIN steps USING (step_id)
WHERE change = 1 AND least_waiting_later < waiting AND start_ns >= $since_ns AND start_ns < $until_ns
GROUP BY step, group_id
ORDER BY step, group_id
