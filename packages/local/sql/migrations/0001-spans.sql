-- One row a resource and instrumentation scope; many spans share it.
CREATE TABLE resources (
  resource_id UINTEGER,
  service_name VARCHAR,
  sampling_ratio DOUBLE,
  scope_name VARCHAR,
  scope_version VARCHAR,
  -- OTLP KeyValues without a column of their own, as JSON.
  attributes VARCHAR
);

-- One row a step name. Grouping by a small number takes a third of the time that grouping by a text does.
CREATE TABLE steps (
  step_id UINTEGER,
  step VARCHAR
);

CREATE TYPE span_role AS ENUM ('root', 'step', 'other');
CREATE TYPE span_outcome AS ENUM ('failed', 'timed_out', 'abandoned', 'interrupted', 'completed');

-- One row a span, copies once. No key: an index would cost more than all the rest of an insert.
CREATE TABLE spans (
  trace_id UHUGEINT,
  span_id UBIGINT,
  parent_span_id UBIGINT,
  start_ns BIGINT,
  duration_ns BIGINT,
  role span_role,
  outcome span_outcome,
  is_recovered BOOLEAN,
  depth INTEGER,
  attempt INTEGER,
  -- 0 on a root, null on a span that is neither root nor step.
  step_id UINTEGER,
  -- Null where it equals the step.
  name VARCHAR,
  conversation_id VARCHAR,
  -- Whether the trace id follows from the conversation id. Where it does, the trace id finds the conversation, and whole
  -- row groups need not be searched for the text.
  has_derived_id BOOLEAN,
  session_id VARCHAR,
  workflow VARCHAR,
  error_type VARCHAR,
  error_message VARCHAR,
  input_text VARCHAR,
  output_text VARCHAR,
  input_chars INTEGER,
  output_chars INTEGER,
  time_to_first_output_s DOUBLE,
  timings_s MAP(VARCHAR, DOUBLE),
  resource_id UINTEGER,
  kind UINTEGER,
  flags UINTEGER,
  -- Whatever else the span said, as JSON in the shapes of OTLP/JSON.
  rest VARCHAR
);

-- What the questions read. A question with filters puts a narrower view of the same name in front.
CREATE VIEW readable_spans AS SELECT rowid AS row_id, * FROM spans;
