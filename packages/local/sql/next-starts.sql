-- The start of the last of the next $row_limit spans that start after $since_ns and by $boundary_ns; null if there is none.
SELECT max(start_ns) AS until_ns
FROM (
  SELECT start_ns
  FROM spans
  WHERE start_ns > $since_ns AND start_ns <= $boundary_ns
  ORDER BY start_ns
  LIMIT $row_limit
)
ORDER BY until_ns
