-- The traces that carry $conversation_id though their trace id does not follow from it.
SELECT DISTINCT trace_id
FROM readable_spans
WHERE NOT has_derived_id AND conversation_id = $conversation_id
ORDER BY trace_id
