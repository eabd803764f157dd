-- The slices with spans that start from $since_ns to before $until_ns, or with any spans of the traces in seen_keys.
SELECT arrival >> 14 AS slice
FROM spans
WHERE start_ns >= $since_ns AND start_ns < $until_ns
UNION
SELECT slice
FROM trace_look_ups
WHERE look_up_key IN (SELECT look_up_key FROM seen_keys)
ORDER BY slice
