-- One row per resource and instrumentation scope, which many spans share.
CREATE TABLE resources (
  resource_id UINTEGER,
  service_name VARCHAR,
  sampling_ratio DOUBLE,
  scope_name VARCHAR,
  scope_version VARCHAR,
  -- The attributes without a column of their own, as a JSON array of OTLP KeyValues.
  attributes VARCHAR
);

-- One row per step name. Grouping by a small number takes a third of the time of grouping by a text.
CREATE TABLE steps (
  step_id UINTEGER,
  step VARCHAR
);

CREATE TYPE span_role AS ENUM ('root', 'step', 'other');
CREATE TYPE span_outcome AS ENUM ('failed', 'timed_out', 'abandoned', 'interrupted', 'completed');

-- One row per span, without copies. There is no primary key, because an index would cost more than the rest of an insert.
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
  -- 0 for a root, null for a span that is neither root nor step.
  step_id UINTEGER,
  -- Null if it equals the step.
  name VARCHAR,
  conversation_id VARCHAR,
  -- Whether the trace id is derived from the conversation id. If so, the conversation is found by its trace id, and whole
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
  -- Everything else in the span, in the form of OTLP/JSON.
  rest VARCHAR
);

-- What the questions read. A question with filters shadows it with a narrower view of the same name.
CREATE VIEW readable_spans AS SELECT rowid AS row_id, * FROM spans;
