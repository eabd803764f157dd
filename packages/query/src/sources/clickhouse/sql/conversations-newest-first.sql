-- The conversations among the traces {trace_ids}, the newest first.
SELECT trace_id, coalesce(minOrNullIf(start_ns, is_step), min(start_ns)) AS first_ns
FROM traced_spans
WHERE is_step OR is_root
GROUP BY trace_id
ORDER BY first_ns DESC, trace_id
