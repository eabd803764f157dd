-- The slices with spans of the traces in the table recent_first_starts.
SELECT DISTINCT slice
FROM trace_look_ups
WHERE look_up_key IN (SELECT (trace_id & 281474976710655)::UBIGINT FROM recent_first_starts)
ORDER BY slice
