-- The rows of trace_look_ups for spans_to_look_up, which stands for a table or a subquery.
SELECT DISTINCT (trace_id & 281474976710655)::UBIGINT AS look_up_key, arrival >> 14 AS slice
FROM spans_to_look_up
ORDER BY slice, look_up_key
