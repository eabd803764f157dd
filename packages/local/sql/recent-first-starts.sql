-- The $row_limit newest conversations of newest-first-starts.sql, as if there were no spans before $since_ns, in any order, with
-- the start of each of their steps and roots. And, in rows without a trace, what there may be of them before it: is_earlier among
-- the spans from the number $searched_from on (among all that are shown, without such a number), and before that number, the
-- slices to look in. To have the first start of each step here, or the names of steps, would take as long again.
WITH newest AS MATERIALIZED (
  SELECT
    trace_id,
    coalesce(min(start_ns) FILTER (step_id > 0), min(start_ns)) AS first_ns,
    list(step_id) AS step_ids,
    list(start_ns) AS starts_ns
  FROM readable_spans
  WHERE step_id IS NOT NULL AND start_ns >= $since_ns
  GROUP BY trace_id
  HAVING first_ns < $until_ns
  ORDER BY first_ns DESC, trace_id
  LIMIT $row_limit
),
others AS (
  SELECT look_up_key, slice
  FROM trace_look_ups
  WHERE slice < $searched_from >> 14
  UNION ALL
  SELECT (trace_id & 281474976710655)::UBIGINT, NULL
  FROM readable_spans
  WHERE ($searched_from IS NULL OR arrival >= $searched_from) AND step_id IS NOT NULL AND start_ns < $since_ns
)
SELECT trace_id, first_ns, step_ids, starts_ns, false AS is_earlier, NULL AS slice
FROM newest
UNION ALL
SELECT NULL, NULL, NULL, NULL, slice IS NULL, slice
FROM others
WHERE look_up_key IN (SELECT (trace_id & 281474976710655)::UBIGINT FROM newest)
