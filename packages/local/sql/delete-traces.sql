-- Deletes every span of the traces $trace_ids.
DELETE FROM spans WHERE trace_id IN (SELECT unnest($trace_ids::UHUGEINT[]))
