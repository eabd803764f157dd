-- The failed steps that start from $since_ns to before $until_ns, grouped by step, error type and pattern: the most frequent
-- first, then the latest. The pattern is the message after everything that $rule_1 to $rule_6 match, in this order, has been
-- replaced. trace_id and error_message are those of the latest failure; if several start at the same time, the smallest.
WITH failed AS (
  SELECT
    step_id,
    error_type,
    error_message,
    count(*) AS failures,
    max(start_ns) AS last_seen_ns,
    arg_min(trace_id, ROW(-start_ns, trace_id)) AS trace_id
  FROM readable_spans
  WHERE step_id > 0 AND start_ns >= $since_ns AND start_ns < $until_ns
    -- Failed, timed out or abandoned: the enum has the worst first, and comparing its numbers takes less time than a list.
    AND outcome <= 'abandoned'::span_outcome
  GROUP BY step_id, error_type, error_message
),
patterned AS (
  SELECT
    *,
    regexp_replace(
      regexp_replace(
        regexp_replace(
          regexp_replace(
            regexp_replace(
              regexp_replace(error_message, $rule_1, $placeholder, 'g'),
              $rule_2, $placeholder, 'g'
            ),
            $rule_3, $placeholder, 'g'
          ),
          $rule_4, $placeholder, 'g'
        ),
        $rule_5, $placeholder, 'g'
      ),
      $rule_6, $placeholder, 'g'
    ) AS pattern
  FROM failed
),
failures_alike AS (
  SELECT
    step_id,
    error_type,
    pattern,
    sum(failures)::BIGINT AS failures,
    max(last_seen_ns) AS last_seen_ns,
    arg_min(trace_id, ROW(-last_seen_ns, trace_id, error_message)) AS trace_id,
    arg_min(error_message, ROW(-last_seen_ns, trace_id, error_message)) AS error_message
  FROM patterned
  GROUP BY step_id, error_type, pattern
)
SELECT step, error_type, pattern, error_message, failures, last_seen_ns, trace_id
FROM failures_alike
JOIN steps USING (step_id)
ORDER BY failures DESC, last_seen_ns DESC, step, error_type NULLS LAST, pattern NULLS LAST
LIMIT $row_limit
