-- The conversation id of each of the traces {trace_ids}: that of its roots, else of its steps, else of any span; the first by
-- code point where they differ, null where there is none.
SELECT
  trace_id,
  coalesce(
    minOrNullIf(conversation_id, conversation_id != '' AND is_root),
    minOrNullIf(conversation_id, conversation_id != '' AND is_step),
    minOrNullIf(conversation_id, conversation_id != '')
  ) AS own_id
FROM traced_spans
GROUP BY trace_id
ORDER BY trace_id
