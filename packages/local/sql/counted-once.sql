-- The conversations of a window that are not counted by the rows of slice_conversations in whole_slices alone: those in
-- rest_spans, all spans outside of these slices, and those in two of the slices, which are continued in at least one.
SELECT trace_id
FROM rest_spans
WHERE step_id IS NOT NULL AND start_ns >= $since_ns AND start_ns < $until_ns
UNION
SELECT trace_id
FROM slice_conversations
WHERE is_continued AND whole_slices
