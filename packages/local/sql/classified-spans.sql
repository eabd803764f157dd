-- The role of each stored span. A step has a step name. A root is a span named conversation that has no parent, has a
-- conversation id, and has a schema version (of any value). All other spans are neither.
-- `rest` holds the attributes without a column of their own as JSON. Text that is not valid Unicode makes it invalid JSON for
-- the database.
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
