-- One row: what the upkeep of the store remembers from one run of a back end to the next.
CREATE TABLE upkeep (
  -- The latest time, in Unix nanoseconds, that the machine's clock was believed to have reached.
  trusted_ns BIGINT,
  -- For how many milliseconds a clock that jumped ahead has been watched; 0 while it is believed.
  jump_watched_ms BIGINT,
  -- When the first rows were deleted that the file may still hold, in Unix nanoseconds; null where there are none.
  unreclaimed_since_ns BIGINT
);

INSERT INTO upkeep VALUES (NULL, 0, NULL);
