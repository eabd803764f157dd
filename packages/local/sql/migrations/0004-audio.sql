-- Seconds of audio that a step received or generated.
ALTER TABLE spans ADD COLUMN audio_s DOUBLE;
-- A view keeps the columns that it was created with.
CREATE OR REPLACE VIEW readable_spans AS SELECT rowid AS row_id, * FROM spans;
