-- What the spans are that start from {since} to before {until}, where none of them is a step or a root: the four most
-- frequent services and the four most frequent names, the most frequent first, then by text.
SELECT kind, text, count() AS spans
FROM (
  SELECT (arrayJoin([('service', service_name::String), ('name', name::String)]) AS named).1 AS kind, named.2 AS text
  FROM window_spans
)
WHERE kind = 'name' OR text != ''
GROUP BY kind, text
ORDER BY kind, spans DESC, text
LIMIT 4 BY kind
