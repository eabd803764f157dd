-- The end by which the oldest conversations together weigh $weight, and which of these conversations are not kept whole.
-- A conversation that alone weighs more than $whole_weight is counted span by span; otherwise, all others would have to go
-- before it.
WITH weighed AS (
  SELECT
    trace_id,
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
  SELECT end_ns, weight FROM conversations WHERE weight <= $whole_weight
  UNION ALL
  SELECT end_ns, weight FROM weighed WHERE trace_id IN (SELECT trace_id FROM large)
),
summed AS (
  SELECT end_ns, sum(weight) OVER (ORDER BY end_ns) AS up_to FROM units
)
SELECT
  (SELECT min(end_ns) FROM summed WHERE up_to >= $weight) AS boundary_ns,
  (SELECT list(trace_id ORDER BY trace_id) FROM large) AS large_ids
ORDER BY boundary_ns
