-- The value of $attribute in each resource; null if it has none. resource_column stands for the attribute's column as text,
-- and $entry is the beginning of the attribute in JSON, as in own-values.sql.
WITH entries AS (
  SELECT
    resource_id,
    nullif(resource_column, '') AS column_value,
    CASE
      WHEN contains(attributes, $entry) AND json_valid(attributes)
        THEN list_filter(
          json_extract(attributes, '$[*]'),
          lambda each: json_extract_string(each, '$.key') = $attribute
        )[1]
    END AS entry
  FROM resources
)
SELECT
  resource_id,
  coalesce(
    column_value,
    nullif(json_extract_string(entry, '$.value.stringValue'), ''),
    json_extract_string(entry, '$.value.intValue'),
    json_extract_string(entry, '$.value.boolValue'),
    json_extract_string(entry, '$.value.doubleValue'),
    nullif(json_extract_string(entry, '$.value.bytesValue'), '')
  ) AS resource_value
FROM entries
