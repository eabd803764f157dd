-- The conversations that all filters choose; a filter that is null lets every one pass.
SELECT trace_id
FROM spans
LEFT JOIN resources USING (resource_id)
GROUP BY trace_id
HAVING bool_or(role <> 'other')
  AND ($service::VARCHAR IS NULL OR bool_or(service_name = $service))
  AND ($workflow::VARCHAR IS NULL OR bool_or(role = 'root' AND workflow = $workflow))
  AND ($session::VARCHAR IS NULL OR bool_or(role <> 'other' AND session_id = $session))
  AND (
    $outcome::VARCHAR IS NULL
    OR coalesce(
      (arg_max(outcome, ROW(start_ns + duration_ns, span_id)) FILTER (role = 'root'))::VARCHAR,
      'open'
    ) = $outcome
  )
ORDER BY trace_id
