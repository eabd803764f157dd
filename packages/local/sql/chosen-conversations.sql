-- The conversations that match all filters. A filter that is null matches every conversation.
SELECT trace_id
FROM readable_spans
LEFT JOIN resources USING (resource_id)
GROUP BY trace_id
HAVING bool_or(role <> 'other')
  AND ($service::VARCHAR IS NULL OR bool_or(service_name = $service))
  AND ($workflow::VARCHAR IS NULL OR bool_or(workflow = $workflow))
  AND ($session::VARCHAR IS NULL OR bool_or(session_id = $session))
  AND (
    $outcome::VARCHAR IS NULL
    OR coalesce(
      (arg_min(outcome, enum_code(outcome)) FILTER (role = 'root'))::VARCHAR,
      'open'
    ) = $outcome
  )
ORDER BY trace_id
