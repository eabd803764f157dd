-- The value of an attribute in the roots of each conversation in spans_to_group, of several the first by code point.
-- Conversations whose roots have none have no row. own_column stands for the attribute's column as text; own_values holds the
-- values that are in no column.
SELECT trace_id, min(said_value) AS root_value
FROM (
  SELECT trace_id, own_column AS said_value
  FROM spans_to_group AS spans
  WHERE step_id = 0
  UNION ALL
  SELECT trace_id, own_value
  FROM own_values
  WHERE step_id = 0
)
WHERE said_value <> ''
GROUP BY trace_id
