-- The rows of text_look_ups for spans_to_look_up, which stands for a table or a subquery.
SELECT ('0x' || sha256(said)[1:12])::UBIGINT AS look_up_key, slice
FROM (
  SELECT DISTINCT 'session:' || session_id AS said, arrival >> 14 AS slice
  FROM spans_to_look_up
  WHERE session_id IS NOT NULL
  UNION ALL
  SELECT DISTINCT 'conversation:' || conversation_id, arrival >> 14
  FROM spans_to_look_up
  WHERE conversation_id IS NOT NULL AND NOT has_derived_id
)
ORDER BY slice, look_up_key
