-- The four most frequent services and the four most frequent names of the spans that start from $since_ns to before $until_ns,
-- for a window without steps and roots. By frequency, then by text.
WITH unrecognised AS (
  SELECT service_name, name
  FROM readable_spans
  LEFT JOIN resources USING (resource_id)
  WHERE start_ns >= $since_ns AND start_ns < $until_ns
),
services AS (
  SELECT 'service' AS kind, service_name AS text, count(*) AS spans
  FROM unrecognised
  WHERE service_name IS NOT NULL
  GROUP BY service_name
  ORDER BY spans DESC, text
  LIMIT 4
),
names AS (
  SELECT 'name' AS kind, name AS text, count(*) AS spans
  FROM unrecognised
  GROUP BY name
  ORDER BY spans DESC, text
  LIMIT 4
)
SELECT kind, text, spans FROM services
UNION ALL
SELECT kind, text, spans FROM names
ORDER BY kind, spans DESC, text
