-- When each step of the conversations $trace_ids starts first. None of their steps starts before $since_ns.
SELECT trace_id, step, first_ns
FROM (
  SELECT trace_id, step_id, min(start_ns) AS first_ns
  FROM readable_spans
  WHERE step_id > 0
    AND start_ns >= $since_ns
    AND trace_id IN (SELECT unnest($trace_ids::UHUGEINT[]))
  GROUP BY trace_id, step_id
)
JOIN steps USING (step_id)
ORDER BY trace_id, step
