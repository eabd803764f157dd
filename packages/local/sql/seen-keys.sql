-- The look-up keys of the traces with a root or step that starts from $since_ns to before $until_ns.
SELECT DISTINCT (trace_id & 281474976710655)::UBIGINT AS look_up_key
FROM spans
WHERE step_id IS NOT NULL AND start_ns >= $since_ns AND start_ns < $until_ns
