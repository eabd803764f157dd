-- The conversations that $conversation_id may mean: those that carry it, and those whose trace id is $derived_id or
-- $literal_id. Newest first.
SELECT
  trace_id,
  coalesce(min(start_ns) FILTER (role = 'step'), min(start_ns) FILTER (role = 'root')) AS first_ns,
  coalesce(bool_or(conversation_id = $conversation_id), false) AS carries_id
FROM readable_spans
WHERE trace_id IN (
  SELECT trace_id FROM readable_spans WHERE conversation_id = $conversation_id
  UNION ALL
  SELECT unnest([$derived_id::UHUGEINT, $literal_id::UHUGEINT])
)
GROUP BY trace_id
HAVING bool_or(role <> 'other')
ORDER BY first_ns DESC, trace_id
