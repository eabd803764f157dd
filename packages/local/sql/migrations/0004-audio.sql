-- How much audio a step was given or made.
ALTER TABLE spans ADD COLUMN audio_s DOUBLE;
-- A view keeps the columns that it was made with.
CREATE OR REPLACE VIEW readable_spans AS SELECT rowid AS row_id, * FROM spans;
