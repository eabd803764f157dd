-- How many of the spans that start from $since_ns to before $until_ns are in each slice.
SELECT arrival >> 14 AS slice, count(*) AS spans
FROM spans
WHERE start_ns >= $since_ns AND start_ns < $until_ns
GROUP BY slice
ORDER BY slice
