-- The total weight of all spans. The weight of a span stands for its bytes: its columns of fixed width, and its texts.
SELECT coalesce(sum(
  48 + coalesce(strlen(rest), 0) + coalesce(strlen(input_text), 0) + coalesce(strlen(output_text), 0)
  + coalesce(strlen(error_message), 0) + coalesce(strlen(conversation_id), 0) // 4
), 0)::DOUBLE AS weight
FROM spans
ORDER BY weight
