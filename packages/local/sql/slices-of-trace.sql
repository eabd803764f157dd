-- The slices with spans of the trace whose key is $look_up_key.
SELECT slice
FROM trace_look_ups
WHERE look_up_key = $look_up_key
ORDER BY slice
