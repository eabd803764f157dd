-- How much is stored: spans, the number up to which they are in the look-ups (null if they have none), steps, and resources
-- with a sampling ratio.
SELECT
  (SELECT count(*) FROM main.spans) AS spans,
  (SELECT max(looked_up_until) FROM upkeep) AS looked_up_until,
  (SELECT count(*) FROM steps) AS steps,
  (SELECT count(*) FROM resources WHERE sampling_ratio IS NOT NULL) AS sampled_resources
ORDER BY spans
