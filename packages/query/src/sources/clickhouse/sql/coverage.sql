-- The conversations of which a root or a step starts from {since} to before {until}.
SELECT uniqExact(trace_id) AS conversations
FROM window_spans
WHERE is_step OR is_root
