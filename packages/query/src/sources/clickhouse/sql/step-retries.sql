-- How many spans of each step, or of {step} alone, that start from {since} to before {until} were retried, and how many
-- failures are among them. In the row without a step: seen, the conversations of which a root or a step starts in the
-- window. has_ties: whether several start at one time, so that the order of their span ids decides; those are half of what
-- is read, and left out at first.
-- Within a conversation and a step, in order of start, each span of attempt k + 1 retries the latest one of attempt k that
-- is not completed and not yet retried. Counting up for each of those and down for each retry, one is retried where the
-- count later falls below what it was with it: as with brackets, which close the one opened last. What starts before the
-- window changes nothing about that.
-- First attempts that were completed are most of all spans and change nothing either, so only the others are collected.
WITH tried_again AS (
  SELECT try.1 AS conversation, try.2 AS step, groupArray(try) AS tries
  FROM (
    SELECT
      arrayJoin(
        arrayPushBack(
          groupArrayIf(
            (conversation, step, attempt, start_ns, span_id, outcome, group_id, toUInt64(0)),
            is_step AND (attempt > 1 OR outcome != 'completed')
              AND ({step:Nullable(String)} IS NULL OR step = {step:Nullable(String)})
          ),
          -- The row without a step.
          (toUInt128(0), '', 0, 0, '', '', 0, uniqExactIf(conversation, start_ns < {until_ns:Int64}))
        )
      ) AS try
    FROM (
      SELECT
        -- A trace id as a number, which is quicker than the text.
        reinterpretAsUInt128(unhex(trace_id)) AS conversation,
        /* span-ids */ span_id,
        /* without-span-ids */ '' AS span_id,
        is_step, step, attempt, start_ns, outcome, group_id
      FROM following_spans
      WHERE is_step OR is_root
    )
    -- By a byte of it, because a shard of a cluster may send a list of 16 million items at most.
    GROUP BY toUInt8(conversation)
  )
  GROUP BY conversation, step
  HAVING max(try.3) > 1 OR step = ''
),
changes AS (
  SELECT
    conversation,
    step,
    try.4 AS start_ns,
    try.5 AS span_id,
    try.6 IN ('failed', 'timed_out', 'abandoned') AS is_failure,
    try.7 AS group_id,
    try.8 AS seen,
    step_change.1 AS level,
    step_change.2 AS change
  FROM (SELECT conversation, step, arrayJoin(tries) AS try FROM tried_again)
  ARRAY JOIN arrayConcat(
    if(try.6 != 'completed', [(toInt64(try.3), toInt64(1))], []),
    if(try.3 > 1, [(toInt64(try.3) - 1, toInt64(-1))], [])
  ) AS step_change
),
counted AS (
  SELECT
    *,
    sum(change) OVER (
      PARTITION BY conversation, step, level
      ORDER BY start_ns, change DESC, span_id
      ROWS UNBOUNDED PRECEDING
    ) AS waiting
  FROM changes
),
looked_ahead AS (
  SELECT
    *,
    min(toNullable(waiting)) OVER (
      PARTITION BY conversation, step, level
      ORDER BY start_ns, change DESC, span_id
      ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING
    ) AS least_waiting_later,
    count() OVER (PARTITION BY conversation, step, level, start_ns, change) AS at_one_time
  FROM counted
)
SELECT
  step,
  group_id,
  countIf(is_retried) AS retried,
  countIf(is_retried AND is_failure) AS retried_failures,
  sum(seen) AS seen,
  max(at_one_time > 1 AND step != '') AS has_ties
FROM (
  SELECT *, change = 1 AND least_waiting_later < waiting AND start_ns < {until_ns:Int64} AS is_retried
  FROM looked_ahead
)
GROUP BY step, group_id
ORDER BY step, group_id
