-- Where the oldest $row_limit spans end that start from $since_ns to before $before_ns; null where there is none.
SELECT max(start_ns) + 1 AS boundary_ns
FROM (
  SELECT start_ns
  FROM spans
  WHERE start_ns >= $since_ns AND start_ns < $before_ns
  ORDER BY start_ns
  LIMIT $row_limit
)
