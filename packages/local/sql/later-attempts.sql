-- Whether a step from $since_ns on is a later attempt: one row if so. Planning step-retries.sql takes longer than this.
SELECT 1 AS has_later_attempts
FROM readable_spans
WHERE attempt > 1 AND step_id > 0 AND start_ns >= $since_ns
ORDER BY has_later_attempts
LIMIT 1
