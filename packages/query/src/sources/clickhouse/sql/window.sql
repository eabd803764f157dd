-- How many spans start from {since} to before {until}, from when to when, the programs that say a sampling ratio, and of
-- how many conversations a root or a step is among them.
SELECT
  count() AS spans,
  minOrNull(start_ns) AS oldest_ns,
  maxOrNull(start_ns) AS newest_ns,
  groupUniqArrayIf((service_name::String, assumeNotNull(sampling_ratio)), sampling_ratio IS NOT NULL) AS programs,
  -- Counting the numbers that trace ids are takes half the time of counting different texts.
  uniqExactIf(reinterpretAsUInt128(unhex(trace_id)), is_step OR is_root) AS conversations
FROM window_spans
