-- The value of $attribute in those steps and roots of spans_to_group that keep it in no column; others have no row.
-- own_column stands for the attribute's column as text, if it has one. $entry is the beginning of the attribute in JSON. Only
-- JSON that contains it is parsed, and only if it is valid: text that is not valid Unicode makes it invalid.
WITH entries AS (
  SELECT
    row_id,
    trace_id,
    step_id,
    list_filter(
      json_extract(rest, '$.attributes[*]'),
      lambda each: json_extract_string(each, '$.key') = $attribute
    )[1] AS entry
  FROM spans_to_group AS spans
  WHERE step_id IS NOT NULL AND contains(rest, $entry)
    AND json_valid(rest) AND nullif(own_column, '') IS NULL
),
own_values AS (
  SELECT
    row_id,
    trace_id,
    step_id,
    coalesce(
      nullif(json_extract_string(entry, '$.value.stringValue'), ''),
      json_extract_string(entry, '$.value.intValue'),
      json_extract_string(entry, '$.value.boolValue'),
      json_extract_string(entry, '$.value.doubleValue'),
      nullif(json_extract_string(entry, '$.value.bytesValue'), '')
    ) AS own_value
  FROM entries
)
SELECT row_id, trace_id, step_id, own_value
FROM own_values
WHERE own_value IS NOT NULL
