-- The response latency, chunks and time-out of a step, and the model that it called.
ALTER TABLE spans ADD COLUMN response_latency_s DOUBLE;
ALTER TABLE spans ADD COLUMN timeout_s DOUBLE;
ALTER TABLE spans ADD COLUMN chunks INTEGER;
ALTER TABLE spans ADD COLUMN provider VARCHAR;
ALTER TABLE spans ADD COLUMN model VARCHAR;
ALTER TABLE spans ADD COLUMN input_tokens INTEGER;
ALTER TABLE spans ADD COLUMN output_tokens INTEGER;
-- A view keeps the columns that it was created with.
CREATE OR REPLACE VIEW readable_spans AS SELECT rowid AS row_id, * FROM spans;
