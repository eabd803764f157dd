-- The slices with spans of the session or conversation id whose key is $look_up_key.
SELECT slice
FROM text_look_ups
WHERE look_up_key = $look_up_key
ORDER BY slice
