-- The rows of slice_summaries for spans_to_sum_up, which stands for a table or a subquery of whole slices.
SELECT arrival >> 14 AS slice, count(*) AS spans, min(start_ns) AS oldest_ns, max(start_ns) AS newest_ns
FROM spans_to_sum_up
GROUP BY slice
ORDER BY slice
