-- The slices that hold what $look_up_key stands for: a session, or a conversation id.
SELECT slice
FROM text_look_ups
WHERE look_up_key = $look_up_key
ORDER BY slice
