-- The table for conversations: it takes what the collector's clickhouse exporter inserts (create_schema: false).
-- Printed by `convotel clickhouse ddl`. Every statement ends with a semicolon at the end of a line.
CREATE DATABASE IF NOT EXISTS otel;

CREATE TABLE IF NOT EXISTS otel.otel_traces (
    -- The exporter's columns, under its names: it inserts by a list of columns, so there may be more of them.
    -- Codecs: spans that stand together start together, so times are kept as differences; everything is packed by ZSTD,
    -- which takes less room than the default LZ4; the attributes, half of all bytes, a little harder.
    Timestamp DateTime64(9) CODEC(Delta, ZSTD(1)),
    TraceId String CODEC(ZSTD(1)),
    SpanId String CODEC(ZSTD(1)),
    ParentSpanId String CODEC(ZSTD(1)),
    TraceState String CODEC(ZSTD(1)),
    SpanName LowCardinality(String) CODEC(ZSTD(1)),
    SpanKind LowCardinality(String) CODEC(ZSTD(1)),
    ServiceName LowCardinality(String) CODEC(ZSTD(1)),
    ResourceAttributes Map(LowCardinality(String), String) CODEC(ZSTD(3)),
    ScopeName String CODEC(ZSTD(1)),
    ScopeVersion String CODEC(ZSTD(1)),
    SpanAttributes Map(LowCardinality(String), String) CODEC(ZSTD(3)),
    Duration UInt64 CODEC(ZSTD(1)),
    StatusCode LowCardinality(String) CODEC(ZSTD(1)),
    StatusMessage String CODEC(ZSTD(1)),
    Events Nested (
        Timestamp DateTime64(9),
        Name LowCardinality(String),
        Attributes Map(LowCardinality(String), String)
    ) CODEC(ZSTD(1)),
    Links Nested (
        TraceId String,
        SpanId String,
        TraceState String,
        Attributes Map(LowCardinality(String), String)
    ) CODEC(ZSTD(1)),

    -- What questions read, worked out once, at insert. Reading one key of a map reads the whole map, which takes
    -- several times as long. Whoever inserts need not know of these columns.
    SessionId String MATERIALIZED SpanAttributes['session.id'] CODEC(ZSTD(1)),
    Workflow LowCardinality(String) MATERIALIZED SpanAttributes['gen_ai.workflow.name'] CODEC(ZSTD(1)),
    Step LowCardinality(String) MATERIALIZED SpanAttributes['conversation.step.name'] CODEC(ZSTD(1)),
    Outcome LowCardinality(String) MATERIALIZED multiIf(
        SpanAttributes['conversation.outcome'] IN ('completed', 'failed', 'timed_out', 'interrupted', 'abandoned'),
        SpanAttributes['conversation.outcome'],
        StatusCode = 'Error',
        'failed',
        'completed'
    ) CODEC(ZSTD(1)),
    Depth Int32 MATERIALIZED greatest(toInt32OrZero(SpanAttributes['conversation.step.depth']), 0) CODEC(ZSTD(1)),
    Attempt Int32 MATERIALIZED greatest(toInt32OrZero(SpanAttributes['conversation.step.attempt']), 1) CODEC(ZSTD(1)),
    -- A root says a version of the schema; other frameworks have spans of the same name.
    IsRoot Bool MATERIALIZED SpanName = 'conversation' AND ParentSpanId = ''
        AND SpanAttributes['conversation.step.name'] = '' AND SpanAttributes['conversation.id'] != ''
        AND mapContains(SpanAttributes, 'conversation.schema.version') CODEC(ZSTD(1)),
    SamplingRatio Nullable(Float64)
        MATERIALIZED toFloat64OrNull(ResourceAttributes['conversation.sampling.ratio']) CODEC(ZSTD(1)),
    -- In seconds. Where the clocks of two machines make a latency negative, or years long, it is not one.
    ResponseLatency Nullable(Float64) MATERIALIZED if(
        toFloat64OrNull(SpanAttributes['conversation.response_latency']) BETWEEN 0 AND 1e9,
        toFloat64OrNull(SpanAttributes['conversation.response_latency']),
        NULL
    ) CODEC(ZSTD(1)),
    TimeToFirstOutput Nullable(Float64) MATERIALIZED if(
        isFinite(toFloat64OrNull(SpanAttributes['conversation.step.time_to_first_output'])),
        toFloat64OrNull(SpanAttributes['conversation.step.time_to_first_output']),
        NULL
    ) CODEC(ZSTD(1)),
    Timings Map(LowCardinality(String), Float64) MATERIALIZED mapApply(
        (part, text) -> (substring(part, 26), toFloat64OrZero(text)),
        mapFilter(
            (part, text) -> startsWith(part, 'conversation.step.timing.') AND length(part) > 25
                AND isFinite(ifNull(toFloat64OrNull(text), nan)),
            SpanAttributes
        )
    ) CODEC(ZSTD(1)),
    -- Of two copies of a span the one that ends later counts, then the one that is not recovered, then the later one.
    Version UInt64 MATERIALIZED if(Duration > 9223372036854775807, 0, Duration) * 2
        + (SpanAttributes['conversation.recovered'] != 'true') CODEC(ZSTD(1)),
    Model LowCardinality(String) MATERIALIZED SpanAttributes['gen_ai.request.model'] CODEC(ZSTD(1)),
    ErrorType LowCardinality(String) MATERIALIZED SpanAttributes['error.type'] CODEC(ZSTD(1)),
    -- The conversation's id where the trace id does not follow from it: mostly nothing, so that looking for it costs nothing.
    CarriedId String MATERIALIZED if(
        TraceId = lower(hex(substring(SHA256(concat('convotel:', SpanAttributes['conversation.id'])), 1, 16))),
        '',
        SpanAttributes['conversation.id']
    ) CODEC(ZSTD(1)),
    -- Only for people to read, and not stored a second time.
    ConversationId String ALIAS SpanAttributes['conversation.id'],
    EndTime DateTime64(9) ALIAS Timestamp + toIntervalNanosecond(Duration),

    -- Look-ups of one conversation or session read the few granules (8,192 rows) that may hold it.
    INDEX idx_trace_id TraceId TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX idx_carried_id CarriedId TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX idx_session_id SessionId TYPE bloom_filter(0.01) GRANULARITY 1
)
-- A batch that the collector sends again, because an answer got lost, leaves copies. Copies of a span have the same start
-- and ids, so they meet in one partition, where merges and FINAL keep the one with the highest Version.
ENGINE = ReplacingMergeTree(Version)
-- A day is what is dropped at once.
PARTITION BY toDate(Timestamp)
-- A window reads only its hours. Within an hour the spans of a conversation stand together, so that a trace
-- id takes 3 bytes a span instead of 16. The exporter's own order (service, name, second) must not be used here: it would merge different spans.
ORDER BY (toStartOfHour(Timestamp), TraceId, SpanId, Timestamp)
-- How long spans are kept. A batch that is older is taken away at insert, without an error.
TTL toDateTime(Timestamp) + toIntervalDay(30)
SETTINGS
    index_granularity = 8192,
    ttl_only_drop_parts = 1,
    -- Whole days get merged into one part, on which FINAL costs nothing.
    min_age_to_force_merge_seconds = 3600,
    min_age_to_force_merge_on_partition_only = 1;

-- Trace look-up: when the spans of a trace start, one row for each insert. Grafana's data source reads it; convotel finds
-- a trace by the bloom filter above. Whole seconds; End is the start of the last span.
CREATE TABLE IF NOT EXISTS otel.otel_traces_trace_id_ts (
    TraceId String CODEC(ZSTD(1)),
    Start DateTime CODEC(Delta, ZSTD(1)),
    End DateTime CODEC(Delta, ZSTD(1)),
    INDEX idx_trace_id TraceId TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toDate(Start)
ORDER BY (TraceId, Start)
TTL Start + toIntervalDay(30)
SETTINGS index_granularity = 8192, ttl_only_drop_parts = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS otel.otel_traces_trace_id_ts_mv TO otel.otel_traces_trace_id_ts AS
SELECT TraceId, min(Timestamp) AS Start, max(Timestamp) AS End
FROM otel.otel_traces
WHERE TraceId != ''
GROUP BY TraceId;
