-- One row: what the upkeep of the store remembers between runs of a back end.
CREATE TABLE upkeep (
  -- The latest time of the machine's clock that was believed, in Unix nanoseconds.
  trusted_ns BIGINT,
  -- For how many milliseconds a clock that jumped ahead has been watched; 0 while it is believed.
  jump_watched_ms BIGINT,
  -- When the first of the deleted rows that the file may still hold were deleted, in Unix nanoseconds; null if there are none.
  unreclaimed_since_ns BIGINT
);

INSERT INTO upkeep VALUES (NULL, 0, NULL);
