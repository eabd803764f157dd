-- How many rows of spans start from {since} to before {until}, and from when to when. Copies count too, so that whole
-- days are answered by what the table knows of its parts.
SELECT count() AS spans, minOrNull(toUnixTimestamp64Nano(Timestamp)) AS oldest_ns, maxOrNull(toUnixTimestamp64Nano(Timestamp)) AS newest_ns
FROM {table:Identifier}
WHERE Timestamp >= {since:DateTime64(9, 'UTC')} AND Timestamp < {until:DateTime64(9, 'UTC')}
