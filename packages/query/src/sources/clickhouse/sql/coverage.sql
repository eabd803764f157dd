-- The conversations of which a root or a step starts from {since} to before {until}.
SELECT count() AS conversations
FROM (
  -- Grouping by the number that a trace id is takes half the time of counting different texts.
  SELECT reinterpretAsUInt128(unhex(trace_id)) AS trace
  FROM window_spans
  WHERE is_step OR is_root
  GROUP BY trace
)
