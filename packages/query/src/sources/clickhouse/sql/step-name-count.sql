-- How many step names there are, at most, among those that step-names.sql tells apart.
SELECT uniqExact(step) AS names
FROM reached_spans
WHERE is_step
