-- The last of the oldest conversations that together take $share of the store, with its end, and which of these
-- conversations are not kept whole. A conversation that alone takes more than $whole_share is counted span by span;
-- otherwise, all others would have to go before it. What ended at the same instant is in order of its ids.
--
-- What a span takes is not known, but where the segments of its row group are. So a span takes its part of the blocks of
-- the 2,048 rows that it is among, by its columns of fixed width and the length of its texts. Length alone would not do:
-- texts that repeat themselves take a tenth of the space of those that do not.
WITH row_groups AS (
  SELECT row_group_id, (sum(rows_in_group) OVER (ORDER BY row_group_id) - rows_in_group)::BIGINT AS first_row
  FROM (
    SELECT row_group_id, max(start + count) AS rows_in_group FROM pragma_storage_info('spans') GROUP BY row_group_id
  )
),
segments AS (
  SELECT
    first_row + start AS first_row,
    first_row + start + count AS end_row,
    -- Small segments share a block.
    1 / count(*) OVER (PARTITION BY block_id) + len(additional_block_ids) AS blocks
  FROM pragma_storage_info('spans')
  JOIN row_groups USING (row_group_id)
  WHERE persistent AND block_id >= 0 AND count > 0
),
parts AS (
  SELECT
    part,
    sum(
      blocks * (least(end_row, (part + 1) * 2048) - greatest(first_row, part * 2048)) / (end_row - first_row)
    ) AS blocks
  FROM (SELECT *, unnest(generate_series(first_row // 2048, (end_row - 1) // 2048)) AS part FROM segments)
  GROUP BY part
),
measured AS (
  SELECT
    rowid // 2048 AS part,
    trace_id,
    span_id,
    start_ns + duration_ns AS end_ns,
    48 + coalesce(strlen(rest), 0) + coalesce(strlen(input_text), 0) + coalesce(strlen(output_text), 0)
    + coalesce(strlen(error_message), 0) + coalesce(strlen(conversation_id), 0) // 4 AS length
  FROM spans
),
densities AS (
  SELECT part, blocks / sum(length) AS density
  FROM measured
  JOIN parts USING (part)
  GROUP BY part, blocks
),
weighed AS (
  SELECT
    trace_id,
    span_id,
    end_ns,
    -- Spans that have arrived since the last checkpoint are in no block yet.
    length * coalesce(density, (SELECT avg(density) FROM densities), 1) AS weight
  FROM measured
  LEFT JOIN densities USING (part)
),
total AS (
  SELECT sum(weight) AS weight FROM weighed
),
conversations AS (
  SELECT trace_id, max(end_ns) AS end_ns, sum(weight) AS weight
  FROM weighed
  GROUP BY trace_id
),
large AS (
  SELECT trace_id FROM conversations WHERE weight > $whole_share * (SELECT weight FROM total)
),
units AS (
  SELECT end_ns, trace_id, 18446744073709551615::UBIGINT AS span_id, weight
  FROM conversations
  WHERE trace_id NOT IN (SELECT trace_id FROM large)
  UNION ALL
  SELECT end_ns, trace_id, span_id, weight
  FROM weighed
  WHERE trace_id IN (SELECT trace_id FROM large)
),
summed AS (
  SELECT end_ns, trace_id, span_id, sum(weight) OVER (ORDER BY end_ns, trace_id, span_id) AS up_to FROM units
),
boundary AS (
  SELECT end_ns, trace_id, span_id
  FROM summed
  WHERE up_to >= $share * (SELECT weight FROM total)
  ORDER BY end_ns, trace_id, span_id
  LIMIT 1
)
SELECT
  (SELECT end_ns FROM boundary) AS boundary_ns,
  (SELECT trace_id FROM boundary) AS boundary_trace_id,
  (SELECT span_id FROM boundary) AS boundary_span_id,
  (SELECT list(trace_id ORDER BY trace_id) FROM large) AS large_ids
ORDER BY boundary_ns
