-- Failures of steps that start from {since} to before {until}, grouped by step, type and pattern: the most frequent
-- first, then the latest. The pattern is the message with everything replaced that {rule_1} to {rule_6} find, one after
-- the other. trace_id and error_message are the latest one's; of several at one time, the smallest's.
WITH failed AS (
  SELECT
    step,
    nullIf(error_type::String, '') AS error_type,
    error_message,
    start_ns,
    trace_id,
    nullIf(
      replaceRegexpAll(
        replaceRegexpAll(
          replaceRegexpAll(
            replaceRegexpAll(
              replaceRegexpAll(
                replaceRegexpAll(error_message, {rule_1:String}, {placeholder:String}),
                {rule_2:String}, {placeholder:String}
              ),
              {rule_3:String}, {placeholder:String}
            ),
            {rule_4:String}, {placeholder:String}
          ),
          {rule_5:String}, {placeholder:String}
        ),
        {rule_6:String}, {placeholder:String}
      ),
      ''
    ) AS pattern
  FROM window_spans
  WHERE is_step AND outcome IN ('failed', 'timed_out', 'abandoned')
)
SELECT
  step,
  error_type,
  pattern,
  nullIf(tupleElement(latest_one, 3), '') AS error_message,
  failures,
  last_seen_ns,
  tupleElement(latest_one, 2) AS trace_id
FROM (
  SELECT
    step,
    error_type,
    pattern,
    min((-start_ns, trace_id, error_message)) AS latest_one,
    count() AS failures,
    max(start_ns) AS last_seen_ns
  FROM failed
  GROUP BY step, error_type, pattern
)
ORDER BY failures DESC, last_seen_ns DESC, step, error_type NULLS LAST, pattern NULLS LAST
LIMIT {row_limit:UInt64}
