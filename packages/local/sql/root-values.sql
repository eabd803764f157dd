-- What the roots of each conversation of spans_to_group say of an attribute, the first by code point; conversations whose
-- roots say nothing have no row. own_column stands for the column that the attribute has, as text; own_values holds what
-- has none.
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
