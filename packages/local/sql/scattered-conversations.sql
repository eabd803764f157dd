-- The conversations of which the rows of slice_conversations in whole_slices alone may not tell everything: those in more
-- than one slice, the later ones of which are continued; those that are seen in rest_spans, all spans outside of these
-- slices; and those in spans that are in no slice yet, from the number $unsummed_from on.
SELECT trace_id
FROM slice_conversations
WHERE is_continued
UNION
SELECT trace_id
FROM rest_spans
WHERE step_id IS NOT NULL AND ((start_ns >= $since_ns AND start_ns < $until_ns) OR arrival >= $unsummed_from)
