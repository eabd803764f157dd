-- The traces that carry the conversation id {conversation_id}, but for the one with the trace id {derived_trace_id} that
-- follows from it.
SELECT DISTINCT trace_id
FROM carrying_spans
WHERE conversation_id = {conversation_id:String} AND trace_id != {derived_trace_id:String}
ORDER BY trace_id
