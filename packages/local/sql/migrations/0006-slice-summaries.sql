-- What a slice of 2^14 spans held when it was complete. Later, spans may be deleted from it but none added, so a slice with
-- the same number of spans still holds the same spans.
CREATE TABLE slice_summaries (
  -- arrival / 2^14.
  slice UINTEGER,
  spans UINTEGER,
  -- The first and the last of their starts.
  oldest_ns BIGINT,
  newest_ns BIGINT
);

-- The conversations with a root or step in a slice, and the sums over these roots and steps.
CREATE TABLE slice_conversations (
  trace_id UHUGEINT,
  slice UINTEGER,
  -- Whether it is in an earlier slice too.
  is_continued BOOLEAN,
  first_step_ns BIGINT,
  first_root_ns BIGINT,
  -- The latest end.
  last_step_ns BIGINT,
  last_root_ns BIGINT,
  -- The smallest response latency.
  step_response_s DOUBLE,
  root_response_s DOUBLE
);

-- The roots and steps of a slice, grouped by what they have in common.
CREATE TABLE slice_steps (
  slice UINTEGER,
  step_id UINTEGER,
  outcome span_outcome,
  depth INTEGER,
  -- Whether they are shorter than 60 s; if not, the last three columns are null.
  is_short BOOLEAN,
  spans UINTEGER,
  sum_ns BIGINT,
  min_ns BIGINT,
  max_ns BIGINT
);
