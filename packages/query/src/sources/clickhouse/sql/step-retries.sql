-- How many spans of each step, or of {step} alone, that start from {since} to before {until} were retried, and how many
-- failures are among them; steps without one have no row.
-- Within a conversation and a step, in order of start, each span of attempt k + 1 retries the latest one of attempt k that
-- is not completed and not yet retried. Counting up for each of those and down for each retry, one is retried where the
-- count later falls below what it was with it: as with brackets, which close the one opened last.
WITH tried_again AS (
  SELECT DISTINCT trace_id, step
  FROM touched_spans
  WHERE attempt > 1 AND is_step AND start_ns >= {since_ns:Int64}
    AND ({step:Nullable(String)} IS NULL OR step = {step:Nullable(String)})
),
changes AS (
  SELECT
    trace_id,
    step,
    group_id,
    step_change.1 AS level,
    span_id,
    start_ns,
    step_change.2 AS change,
    outcome
  FROM (
    SELECT
      trace_id, step, group_id, span_id, start_ns, outcome,
      arrayJoin(
        arrayConcat(
          if(outcome != 'completed', [(toInt64(attempt), toInt64(1))], []),
          if(attempt > 1, [(toInt64(attempt) - 1, toInt64(-1))], [])
        )
      ) AS step_change
    FROM touched_spans
    WHERE is_step AND (trace_id, step) IN (SELECT trace_id, step FROM tried_again)
  )
),
counted AS (
  SELECT
    *,
    sum(change) OVER (
      PARTITION BY trace_id, step, level
      ORDER BY start_ns, change DESC, span_id
      ROWS UNBOUNDED PRECEDING
    ) AS waiting
  FROM changes
),
looked_ahead AS (
  SELECT
    *,
    min(toNullable(waiting)) OVER (
      PARTITION BY trace_id, step, level
      ORDER BY start_ns, change DESC, span_id
      ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING
    ) AS least_waiting_later
  FROM counted
)
SELECT
  step,
  group_id,
  count() AS retried,
  countIf(outcome IN ('failed', 'timed_out', 'abandoned')) AS retried_failures
FROM looked_ahead
WHERE change = 1 AND least_waiting_later < waiting AND start_ns >= {since_ns:Int64} AND start_ns < {until_ns:Int64}
GROUP BY step, group_id
ORDER BY step, group_id
