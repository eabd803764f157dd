-- The failed steps of a slice, grouped by what they have in common.
CREATE TABLE slice_failures (
  slice UINTEGER,
  step_id UINTEGER,
  error_type VARCHAR,
  error_message VARCHAR,
  failures UINTEGER,
  -- The start of the latest, and its trace; of several that started at the same time, the smallest.
  last_seen_ns BIGINT,
  trace_id UHUGEINT
);

-- The named parts of the completed steps of a slice that are shorter than 60 s.
CREATE TABLE slice_timings (
  slice UINTEGER,
  step_id UINTEGER,
  part VARCHAR,
  -- The steps that have this part.
  steps UINTEGER,
  sum_s DOUBLE
);

-- Slices that are summed up already have no rows in these tables. All are summed up again, as more spans arrive.
DELETE FROM slice_summaries;
DELETE FROM slice_conversations;
DELETE FROM slice_steps;
