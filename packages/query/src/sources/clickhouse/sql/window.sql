-- How many spans start from {since} to before {until}, from when to when, and the programs that say a sampling ratio.
SELECT
  count() AS spans,
  minOrNull(start_ns) AS oldest_ns,
  maxOrNull(start_ns) AS newest_ns,
  groupUniqArrayIf((service_name::String, assumeNotNull(sampling_ratio)), sampling_ratio IS NOT NULL) AS programs
FROM window_spans
