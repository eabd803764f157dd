-- The programs with a sampling ratio on spans that start from $since_ns to before $until_ns.
SELECT DISTINCT service_name, sampling_ratio
FROM resources
WHERE sampling_ratio IS NOT NULL
  AND resource_id IN (
    SELECT resource_id FROM readable_spans WHERE start_ns >= $since_ns AND start_ns < $until_ns
  )
ORDER BY service_name, sampling_ratio
