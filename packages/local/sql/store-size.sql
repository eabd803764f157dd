-- How much is stored: spans, the number up to which they are in the look-ups (null if they have none), the last slice with a
-- summary, whether there is a later attempt, steps, and resources with a sampling ratio. As rows, because joining them would
-- take as long as counting them.
SELECT 'spans' AS kind, count(*) AS size FROM main.spans
UNION ALL
SELECT 'looked_up_until', max(looked_up_until) FROM upkeep
UNION ALL
SELECT 'summed_slice', max(slice) FROM slice_summaries
UNION ALL
SELECT 'later_attempts', count(*) FROM (SELECT 1 FROM main.spans WHERE attempt > 1 LIMIT 1)
UNION ALL
SELECT 'steps', count(*) FROM steps
UNION ALL
SELECT 'sampled_resources', count(*) FROM resources WHERE sampling_ratio IS NOT NULL
ORDER BY kind
