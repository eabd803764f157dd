-- One row if a step from $since_ns on is a later attempt. This takes less time than planning step-retries.sql.
SELECT 1 AS has_later_attempts
FROM readable_spans
WHERE attempt > 1 AND step_id > 0 AND start_ns >= $since_ns
ORDER BY has_later_attempts
LIMIT 1
