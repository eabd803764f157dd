-- The conversations that all filters choose; a filter that is null lets every one pass.
SELECT trace_id
FROM candidate_spans
GROUP BY trace_id
HAVING max(is_step OR is_root)
  AND ({service:Nullable(String)} IS NULL OR max(service_name = {service:Nullable(String)}))
  AND ({workflow:Nullable(String)} IS NULL OR max(workflow = {workflow:Nullable(String)}))
  AND ({session:Nullable(String)} IS NULL OR max(session_id = {session:Nullable(String)}))
  AND (
    {outcome:Nullable(String)} IS NULL
    OR arrayElement(
      ['failed', 'timed_out', 'abandoned', 'interrupted', 'completed', 'open'],
      coalesce(
        minOrNullIf(indexOf(['failed', 'timed_out', 'abandoned', 'interrupted', 'completed'], outcome), is_root),
        6
      )
    ) = {outcome:Nullable(String)}
  )
