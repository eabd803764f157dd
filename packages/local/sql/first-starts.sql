-- When each step of the conversations $trace_ids starts first. None of their steps starts before $since_ns.
SELECT trace_id, step, min(start_ns) AS first_ns
FROM readable_spans
WHERE role = 'step'
  AND start_ns >= $since_ns
  AND trace_id IN (SELECT unnest($trace_ids::UHUGEINT[]))
GROUP BY trace_id, step
ORDER BY trace_id, step
