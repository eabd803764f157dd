-- How many spans of each step, or of {step} alone, that start from {since} to before {until} were retried, and how many
-- failures are among them. In each row, and in one without a step where there is no other: seen, the conversations of
-- which a root or a step starts in the window.
-- Within a conversation and a step, in order of start, each span of attempt k + 1 retries the latest one of attempt k that
-- is not completed and not yet retried. Counting up for each of those and down for each retry, one is retried where the
-- count later falls below what it was with it: as with brackets, which close the one opened last. What starts before the
-- window changes nothing about that.
WITH per_conversation AS (
  SELECT
    max(start_ns < {until_ns:Int64}) AS is_seen,
    groupArrayIf(
      -- Of all others, not even the ids are copied.
      (step, toInt64(attempt), start_ns, if(is_try, span_id, ''), outcome = 'completed', is_failure, group_id),
      is_try
    ) AS tries
  FROM (
    SELECT
      *,
      is_step AND (attempt > 1 OR outcome != 'completed')
        AND ({step:Nullable(String)} IS NULL OR step = {step:Nullable(String)}) AS is_try,
      outcome IN ('failed', 'timed_out', 'abandoned') AS is_failure
    FROM following_spans
    WHERE is_step OR is_root
  )
  -- A trace id as a number, which is quicker than the text.
  GROUP BY reinterpretAsUInt128(unhex(trace_id))
),
tried_again AS (
  SELECT
    countIf(is_seen) AS seen,
    groupArrayIf(tries, arrayExists(try -> try.2 > 1, tries)) AS conversations
  FROM per_conversation
),
changes AS (
  SELECT
    seen,
    conversation,
    try.1 AS step,
    try.3 AS start_ns,
    try.4 AS span_id,
    try.6 AS is_failure,
    try.7 AS group_id,
    step_change.1 AS level,
    step_change.2 AS change
  FROM (
    SELECT seen, conversation, arrayJoin(arrayResize(tries, greatest(length(tries), 1))) AS try
    FROM (
      SELECT seen, tries, conversation
      FROM tried_again
      LEFT ARRAY JOIN conversations AS tries, arrayEnumerate(conversations) AS conversation
    )
  )
  ARRAY JOIN arrayConcat(
    if(NOT try.5, [(try.2, toInt64(1))], []),
    if(try.2 > 1, [(try.2 - 1, toInt64(-1))], [])
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
    ) AS least_waiting_later
  FROM counted
)
SELECT
  step,
  group_id,
  countIf(is_retried) AS retried,
  countIf(is_retried AND is_failure) AS retried_failures,
  any(seen) AS seen
FROM (
  SELECT *, change = 1 AND least_waiting_later < waiting AND start_ns < {until_ns:Int64} AS is_retried
  FROM looked_ahead
)
GROUP BY step, group_id
ORDER BY step, group_id
