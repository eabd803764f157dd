-- Every conversation with a root or a step that starts from $since_ns to before $until_ns, and perhaps some others, with what
-- all of its spans say: from the summaries of whole_slices, and of those in the table scattered_conversations from
-- rest_spans too, all other spans.
SELECT
  whole.trace_id,
  first_step_ns,
  first_root_ns,
  last_step_ns,
  last_root_ns,
  step_response_s,
  root_response_s,
  true AS is_seen
FROM (SELECT * FROM slice_conversations WHERE whole_slices) AS whole
ANTI JOIN scattered_conversations AS scattered ON scattered.trace_id = whole.trace_id
UNION ALL
SELECT
  trace_id,
  min(first_step_ns),
  min(first_root_ns),
  max(last_step_ns),
  max(last_root_ns),
  min(step_response_s),
  min(root_response_s),
  bool_or(is_seen)
FROM (
  SELECT whole.* EXCLUDE (slice, is_continued), true AS is_seen
  FROM (SELECT * FROM slice_conversations WHERE whole_slices) AS whole
  SEMI JOIN scattered_conversations AS scattered ON scattered.trace_id = whole.trace_id
  UNION ALL
  SELECT
    rest.trace_id,
    CASE WHEN step_id > 0 THEN start_ns END,
    CASE WHEN step_id = 0 THEN start_ns END,
    CASE WHEN step_id > 0 THEN start_ns + duration_ns END,
    CASE WHEN step_id = 0 THEN start_ns + duration_ns END,
    CASE WHEN step_id > 0 THEN response_latency_s END,
    CASE WHEN step_id = 0 THEN response_latency_s END,
    start_ns >= $since_ns AND start_ns < $until_ns
  FROM (SELECT * FROM rest_spans WHERE step_id IS NOT NULL) AS rest
  SEMI JOIN scattered_conversations AS scattered ON scattered.trace_id = rest.trace_id
)
GROUP BY trace_id
