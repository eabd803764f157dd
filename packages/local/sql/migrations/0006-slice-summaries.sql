-- What a slice of 2^14 spans held when it was whole. Spans are deleted later, but none are added: it still holds the same
-- where it still holds as many.
CREATE TABLE slice_summaries (
  -- arrival / 2^14.
  slice UINTEGER,
  spans UINTEGER,
  -- When the first and the last of them start.
  oldest_ns BIGINT,
  newest_ns BIGINT
);

-- The conversations with a root or a step in a slice, and what its steps and roots there say together.
CREATE TABLE slice_conversations (
  trace_id UHUGEINT,
  slice UINTEGER,
  -- Whether an earlier slice has it too.
  is_continued BOOLEAN,
  first_step_ns BIGINT,
  first_root_ns BIGINT,
  -- When the last one ends.
  last_step_ns BIGINT,
  last_root_ns BIGINT,
  -- The smallest response latency.
  step_response_s DOUBLE,
  root_response_s DOUBLE
);

-- The roots and steps of a slice that are alike.
CREATE TABLE slice_steps (
  slice UINTEGER,
  step_id UINTEGER,
  outcome span_outcome,
  depth INTEGER,
  -- Whether they are shorter than 60 s; the last three columns are null where not.
  is_short BOOLEAN,
  spans UINTEGER,
  sum_ns BIGINT,
  min_ns BIGINT,
  max_ns BIGINT
);
