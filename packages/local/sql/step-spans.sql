-- The roots and steps that start from $since_ns to before $until_ns, in any order: to add them up by conversation and step
-- takes DuckDB several times as long as to hand them over.
SELECT
  trace_id,
  step_id,
  group_id,
  start_ns,
  duration_ns,
  outcome,
  depth,
  response_latency_s,
  nullif(model, '') AS model,
  attempt,
  input_chars,
  time_to_first_output_s
FROM grouped_spans
WHERE step_id IS NOT NULL AND start_ns >= $since_ns AND start_ns < $until_ns
