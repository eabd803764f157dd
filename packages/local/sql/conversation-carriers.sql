-- The conversations that carry $conversation_id though their trace id does not follow from it, the newest first.
SELECT
  trace_id,
  coalesce(min(start_ns) FILTER (role = 'step'), min(start_ns) FILTER (role = 'root')) AS first_ns
FROM readable_spans
WHERE trace_id IN (
  SELECT trace_id FROM readable_spans WHERE NOT has_derived_id AND conversation_id = $conversation_id
)
GROUP BY trace_id
HAVING bool_or(role <> 'other')
ORDER BY first_ns DESC, trace_id
