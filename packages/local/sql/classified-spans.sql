-- What each stored span counts as. A step has a step name; a root is a span named conversation, without a parent, with a
-- conversation id, that says a version of the schema (any value); everything else is neither.
-- `rest` holds the attributes without a column as JSON. Text that is not valid Unicode makes it invalid for the database.
SELECT
  rowid AS row_id,
  CASE
    WHEN step_id > 0 THEN 'step'
    WHEN name = 'conversation' AND parent_span_id IS NULL AND conversation_id IS NOT NULL
      AND contains(rest, '"key":"conversation.schema.version"')
      AND (
        NOT json_valid(rest)
        OR list_contains(json_extract_string(rest, '$.attributes[*].key'), 'conversation.schema.version')
      )
    THEN 'root'
    ELSE 'other'
  END::span_role AS role
FROM spans
ORDER BY row_id
