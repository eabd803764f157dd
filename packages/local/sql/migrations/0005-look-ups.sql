-- The number of the span in order of arrival. Rows lie in that order, so whoever knows about which numbers a conversation
-- has reads a few row groups instead of all. A rewrite numbers them anew. Null on spans that were stored before.
ALTER TABLE spans ADD COLUMN arrival UINTEGER;

-- Where the spans of a trace are. May say more than there is, never less.
CREATE TABLE trace_look_ups (
  -- The lowest 48 bits of the trace id.
  look_up_key UBIGINT,
  -- arrival / 2^14.
  slice UINTEGER
);

-- Where the spans of a session are, and those of a conversation id from which their trace id does not follow.
CREATE TABLE text_look_ups (
  -- The first 48 bits of the SHA-256 of "session:" or "conversation:" and the id.
  look_up_key UBIGINT,
  slice UINTEGER
);

-- All spans with a smaller number are in these tables. Null where spans have no number yet, in a store of an older version:
-- it is rewritten for that.
ALTER TABLE upkeep ADD COLUMN looked_up_until UINTEGER;
UPDATE upkeep SET looked_up_until = CASE WHEN NOT EXISTS (SELECT 1 FROM spans) THEN 0 END;

-- A view keeps the columns that it was made with.
CREATE OR REPLACE VIEW readable_spans AS SELECT rowid AS row_id, * FROM spans;
