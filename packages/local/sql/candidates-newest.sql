-- The newest $row_limit starts of roots and steps from $since_ns to before $until_ns. A conversation that starts in the
-- window and has none of these rows starts no later than the oldest of them.
SELECT trace_id, start_ns
FROM readable_spans
WHERE role <> 'other' AND start_ns >= $since_ns AND start_ns < $until_ns
ORDER BY start_ns DESC, trace_id
LIMIT $row_limit
