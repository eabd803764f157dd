-- The number of conversations with a root or step that starts from $since_ns to before $until_ns.
SELECT count(DISTINCT trace_id) AS conversations
FROM readable_spans
WHERE step_id IS NOT NULL AND start_ns >= $since_ns AND start_ns < $until_ns
ORDER BY conversations
