-- The slices with spans of the traces that have a span of $session.
SELECT DISTINCT slice
FROM trace_look_ups
WHERE look_up_key IN (
  SELECT (trace_id & 281474976710655)::UBIGINT FROM readable_spans WHERE session_id = $session
)
ORDER BY slice
