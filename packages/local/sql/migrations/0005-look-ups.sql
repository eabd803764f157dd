-- The number of the span in order of arrival. Rows are stored in that order, so if the approximate numbers of a
-- conversation are known, only a few row groups have to be read. A rewrite renumbers the spans. Null for spans that were
-- stored before this version.
ALTER TABLE spans ADD COLUMN arrival UINTEGER;

-- The slices that hold the spans of a trace. There may be superfluous rows, but none is missing.
CREATE TABLE trace_look_ups (
  -- The lowest 48 bits of the trace id.
  look_up_key UBIGINT,
  -- arrival / 2^14.
  slice UINTEGER
);

-- The slices that hold the spans of a session, or of a conversation id from which their trace id is not derived.
CREATE TABLE text_look_ups (
  -- The first 48 bits of the SHA-256 of "session:" or "conversation:" and the id.
  look_up_key UBIGINT,
  slice UINTEGER
);

-- All spans with a smaller number are in these tables. Null if spans have no number yet; a store of an older version is
-- rewritten to number them.
ALTER TABLE upkeep ADD COLUMN looked_up_until UINTEGER;
UPDATE upkeep SET looked_up_until = CASE WHEN NOT EXISTS (SELECT 1 FROM spans) THEN 0 END;

-- A view keeps the columns that it was created with.
CREATE OR REPLACE VIEW readable_spans AS SELECT rowid AS row_id, * FROM spans;
