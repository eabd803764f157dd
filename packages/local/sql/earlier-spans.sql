-- One row if one of the traces in the table recent_first_starts has a root or step before $since_ns.
SELECT 1 AS has_earlier_spans
FROM readable_spans
WHERE step_id IS NOT NULL AND start_ns < $since_ns AND trace_id IN (SELECT trace_id FROM recent_first_starts)
ORDER BY has_earlier_spans
LIMIT 1
