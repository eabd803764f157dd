-- The slices with spans that start from $since_ns to before $until_ns, or with any spans of the conversations in the window.
-- The limit changes nothing: without it, DuckDB takes a condition on time for a fifth of the store, and would join the other
-- way round.
SELECT arrival >> 14 AS slice
FROM spans
WHERE start_ns >= $since_ns AND start_ns < $until_ns
UNION
SELECT slice
FROM trace_look_ups
WHERE look_up_key IN (
  SELECT (trace_id & 281474976710655)::UBIGINT
  FROM spans
  WHERE step_id IS NOT NULL AND start_ns >= $since_ns AND start_ns < $until_ns
  LIMIT $spans_in_window
)
ORDER BY slice
