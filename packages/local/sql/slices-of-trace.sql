-- The slices that hold the spans of the trace with $look_up_key.
SELECT slice
FROM trace_look_ups
WHERE look_up_key = $look_up_key
ORDER BY slice
