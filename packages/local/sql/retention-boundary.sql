-- The last of the oldest conversations that together weigh $weight, with its end, and which of these conversations are not
-- kept whole. A conversation that alone weighs more than $whole_weight is counted span by span; otherwise, all others would
-- have to go before it. What ended at the same instant is in order of its ids.
WITH weighed AS (
  SELECT
    trace_id,
    span_id,
    start_ns + duration_ns AS end_ns,
    48 + coalesce(strlen(rest), 0) + coalesce(strlen(input_text), 0) + coalesce(strlen(output_text), 0)
    + coalesce(strlen(error_message), 0) + coalesce(strlen(conversation_id), 0) // 4 AS weight
  FROM spans
),
conversations AS (
  SELECT trace_id, max(end_ns) AS end_ns, sum(weight) AS weight
  FROM weighed
  GROUP BY trace_id
),
large AS (
  SELECT trace_id FROM conversations WHERE weight > $whole_weight
),
units AS (
  SELECT end_ns, trace_id, 18446744073709551615::UBIGINT AS span_id, weight
  FROM conversations
  WHERE weight <= $whole_weight
  UNION ALL
  SELECT end_ns, trace_id, span_id, weight
  FROM weighed
  WHERE trace_id IN (SELECT trace_id FROM large)
),
summed AS (
  SELECT end_ns, trace_id, span_id, sum(weight) OVER (ORDER BY end_ns, trace_id, span_id) AS up_to FROM units
),
boundary AS (
  SELECT end_ns, trace_id, span_id FROM summed WHERE up_to >= $weight ORDER BY end_ns, trace_id, span_id LIMIT 1
)
SELECT
  (SELECT end_ns FROM boundary) AS boundary_ns,
  (SELECT trace_id FROM boundary) AS boundary_trace_id,
  (SELECT span_id FROM boundary) AS boundary_span_id,
  (SELECT list(trace_id ORDER BY trace_id) FROM large) AS large_ids
ORDER BY boundary_ns
