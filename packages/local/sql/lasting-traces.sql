-- The traces with spans on both sides of $boundary_ns.
SELECT DISTINCT trace_id
FROM spans
WHERE start_ns >= $boundary_ns
  AND trace_id IN (SELECT DISTINCT trace_id FROM spans WHERE start_ns < $boundary_ns)
ORDER BY trace_id
