-- The programs that say a sampling ratio on spans that start from {since} to before {until}.
SELECT DISTINCT nullIf(service_name::String, '') AS service_name, sampling_ratio
FROM window_spans
WHERE sampling_ratio IS NOT NULL
ORDER BY service_name, sampling_ratio
