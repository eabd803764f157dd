-- The table for conversations: it takes what the collector's clickhouse exporter inserts (create_schema: false).
-- Statements end with a semicolon at the end of a line. README.md beside this file explains the choices.
CREATE DATABASE IF NOT EXISTS otel;

CREATE TABLE IF NOT EXISTS otel.otel_traces (
    -- The exporter's columns, unchanged.
    Timestamp DateTime64(9) CODEC(Delta, ZSTD(1)),
    TraceId String CODEC(ZSTD(1)),
    SpanId String CODEC(ZSTD(1)),
    ParentSpanId String CODEC(ZSTD(1)),
    TraceState String CODEC(ZSTD(1)),
    SpanName LowCardinality(String) CODEC(ZSTD(1)),
    SpanKind LowCardinality(String) CODEC(ZSTD(1)),
    ServiceName LowCardinality(String) CODEC(ZSTD(1)),
    ResourceAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    ScopeName String CODEC(ZSTD(1)),
    ScopeVersion String CODEC(ZSTD(1)),
    SpanAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
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

    -- What questions read, taken out of the attributes at insert: reading one key of a map reads the whole map.
    ConversationId String MATERIALIZED SpanAttributes['conversation.id'] CODEC(ZSTD(1)),
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
    Depth UInt8 MATERIALIZED toUInt8OrZero(SpanAttributes['conversation.step.depth']) CODEC(ZSTD(1)),
    Attempt UInt16 MATERIALIZED toUInt16OrDefault(SpanAttributes['conversation.step.attempt'], toUInt16(1)) CODEC(ZSTD(1)),
    Model LowCardinality(String) MATERIALIZED SpanAttributes['gen_ai.request.model'] CODEC(ZSTD(1)),
    ErrorType LowCardinality(String) MATERIALIZED SpanAttributes['error.type'] CODEC(ZSTD(1)),
    EndTime DateTime64(9) ALIAS Timestamp + toIntervalNanosecond(Duration),

    INDEX idx_trace_id TraceId TYPE bloom_filter(0.001) GRANULARITY 1
)
-- Copies of a span (a batch that was sent again) have the same start and ids; the one that ends later stays.
ENGINE = ReplacingMergeTree(Duration)
PARTITION BY toDate(Timestamp)
-- The spans of a conversation stand together, which compresses their ids; a time window reads only its hours.
ORDER BY (toStartOfHour(Timestamp), TraceId, SpanId, Timestamp)
TTL toDateTime(Timestamp) + toIntervalDay(30)
SETTINGS
    index_granularity = 8192,
    ttl_only_drop_parts = 1,
    -- Whole days get merged into one part, on which FINAL costs next to nothing.
    min_age_to_force_merge_seconds = 3600,
    min_age_to_force_merge_on_partition_only = 1;

-- What Grafana's ClickHouse data source reads to find a trace. Whole seconds; End is the start of the last span.
CREATE TABLE IF NOT EXISTS otel.otel_traces_trace_id_ts (
    TraceId String CODEC(ZSTD(1)),
    Start DateTime CODEC(Delta, ZSTD(1)),
    End DateTime CODEC(Delta, ZSTD(1)),
    INDEX idx_trace_id TraceId TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toDate(Start)
ORDER BY (TraceId, Start)
TTL toDateTime(Start) + toIntervalDay(30)
SETTINGS index_granularity = 8192, ttl_only_drop_parts = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS otel.otel_traces_trace_id_ts_mv TO otel.otel_traces_trace_id_ts AS
SELECT TraceId, min(Timestamp) AS Start, max(Timestamp) AS End
FROM otel.otel_traces
WHERE TraceId != ''
GROUP BY TraceId;
