-- The {row_limit} most frequent steps, but for {other_step}, of those that start from {since} to before {until}; with
-- {whole_conversations} also those that only start elsewhere in the conversations of those, behind the others. names is
-- how many there are in all.
SELECT step, count() OVER () AS names
FROM (
  SELECT step, countIf(start_ns >= {since_ns:Int64} AND start_ns < {until_ns:Int64}) AS spans
  FROM touched_spans
  WHERE is_step AND step != {other_step:String}
    AND ({whole_conversations:Bool} OR (start_ns >= {since_ns:Int64} AND start_ns < {until_ns:Int64}))
  GROUP BY step
)
ORDER BY spans DESC, step
LIMIT {row_limit:UInt64}
