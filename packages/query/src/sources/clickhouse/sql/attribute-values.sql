-- The {row_limit} most frequent values of the attribute that spans are grouped by, on steps, or on {step} alone, that start
-- from {since} to before {until}.
SELECT attribute_value AS value, count() AS spans
FROM window_spans
WHERE is_step AND attribute_value IS NOT NULL
  AND ({step:Nullable(String)} IS NULL OR step = {step:Nullable(String)})
GROUP BY value
ORDER BY spans DESC, value
LIMIT {row_limit:UInt64}
