-- The response latency of each conversation of summed_conversations that starts from $since_ns to before $until_ns and has one.
SELECT response_s
FROM (
  SELECT
    coalesce(first_step_ns, first_root_ns) AS first_ns,
    coalesce(step_response_s, root_response_s) AS response_s
  FROM summed_conversations
)
WHERE first_ns >= $since_ns AND first_ns < $until_ns AND response_s IS NOT NULL
