-- Gives those of $steps that have no number yet the next free numbers.
INSERT INTO steps
SELECT (SELECT coalesce(max(step_id), 0) FROM steps) + row_number() OVER (ORDER BY step), step
FROM (SELECT DISTINCT unnest($steps::VARCHAR[]) AS step)
WHERE step NOT IN (SELECT step FROM steps)
ORDER BY step
