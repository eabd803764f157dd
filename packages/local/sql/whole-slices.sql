-- The slices that were whole and of which every span starts from $since_ns to before $until_ns, with how many they held.
SELECT slice, spans
FROM slice_summaries
WHERE oldest_ns >= $since_ns AND newest_ns < $until_ns
ORDER BY slice
