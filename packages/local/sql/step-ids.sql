-- The numbers of $steps, in the same order.
SELECT step_id
FROM (SELECT unnest($steps::VARCHAR[]) AS step, generate_subscripts($steps::VARCHAR[], 1) AS position)
JOIN steps USING (step)
ORDER BY position
