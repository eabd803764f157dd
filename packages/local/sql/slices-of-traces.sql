-- The slices with spans of the traces $trace_ids.
SELECT DISTINCT slice
FROM trace_look_ups
WHERE look_up_key IN (SELECT (unnest($trace_ids::UHUGEINT[]) & 281474976710655)::UBIGINT)
ORDER BY slice
