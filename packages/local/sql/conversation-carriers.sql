-- The traces with $conversation_id whose trace id is not derived from it.
SELECT DISTINCT trace_id
FROM readable_spans
WHERE NOT has_derived_id AND conversation_id = $conversation_id
ORDER BY trace_id
