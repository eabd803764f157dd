-- The value of $attribute, and the number of its group, of each step and root in the conversations with one that starts from
-- $since_ns to before $until_ns: its own, else that of a root, else that of its resource. The groups are $group_values in
-- their order, then all other values, then no value.
-- own_column and resource_column stand for the columns that the attribute has, as text. $entry is how it begins in JSON,
-- which is only parsed where that occurs, and only where it is valid: text that is not valid Unicode makes it invalid.
WITH seen AS (
  SELECT DISTINCT trace_id
  FROM readable_spans
  WHERE step_id IS NOT NULL AND start_ns >= $since_ns AND start_ns < $until_ns
),
entries AS (
  SELECT
    row_id,
    trace_id,
    step_id,
    resource_id,
    nullif(own_column, '') AS own_value,
    CASE
      WHEN contains(rest, $entry) AND json_valid(rest)
        THEN list_filter(
          json_extract(rest, '$.attributes[*]'),
          lambda each: json_extract_string(each, '$.key') = $attribute
        )[1]
    END AS entry
  FROM readable_spans
  WHERE step_id IS NOT NULL AND trace_id IN (SELECT trace_id FROM seen)
),
own_values AS (
  SELECT
    row_id,
    trace_id,
    step_id,
    resource_id,
    coalesce(
      own_value,
      nullif(json_extract_string(entry, '$.value.stringValue'), ''),
      json_extract_string(entry, '$.value.intValue'),
      json_extract_string(entry, '$.value.boolValue'),
      json_extract_string(entry, '$.value.doubleValue'),
      nullif(json_extract_string(entry, '$.value.bytesValue'), '')
    ) AS own_value
  FROM entries
),
root_values AS (
  SELECT trace_id, min(own_value) AS root_value
  FROM own_values
  WHERE step_id = 0 AND own_value IS NOT NULL
  GROUP BY trace_id
),
resource_entries AS (
  SELECT
    resource_id,
    nullif(resource_column, '') AS resource_value,
    CASE
      WHEN contains(attributes, $entry) AND json_valid(attributes)
        THEN list_filter(
          json_extract(attributes, '$[*]'),
          lambda each: json_extract_string(each, '$.key') = $attribute
        )[1]
    END AS entry
  FROM resources
),
resource_values AS (
  SELECT
    resource_id,
    coalesce(
      resource_value,
      nullif(json_extract_string(entry, '$.value.stringValue'), ''),
      json_extract_string(entry, '$.value.intValue'),
      json_extract_string(entry, '$.value.boolValue'),
      json_extract_string(entry, '$.value.doubleValue'),
      nullif(json_extract_string(entry, '$.value.bytesValue'), '')
    ) AS resource_value
  FROM resource_entries
),
found AS (
  SELECT row_id, coalesce(own_value, root_value, resource_value) AS attribute_value
  FROM own_values
  LEFT JOIN root_values USING (trace_id)
  LEFT JOIN resource_values USING (resource_id)
)
SELECT
  row_id,
  attribute_value,
  CASE
    WHEN attribute_value IS NULL THEN len($group_values::VARCHAR[]) + 1
    ELSE coalesce(nullif(list_position($group_values::VARCHAR[], attribute_value), 0) - 1, len($group_values::VARCHAR[]))
  END::UTINYINT AS group_id
FROM found
ORDER BY row_id
