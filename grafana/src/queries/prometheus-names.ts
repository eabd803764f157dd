/**
 * What the collector's `span_metrics` connector counts from spans, under the names that Prometheus knows
 * (connector/spanmetricsconnector, namespace `traces.span.metrics`, unit `s`).
 */
export const SPAN_METRIC = {
  /** Counter: spans, by {@link SPAN_METRIC_LABEL}. */
  calls: 'traces_span_metrics_calls_total',
  /** Histogram over `DURATION_BUCKET_BOUNDS_SECONDS`, in seconds; Prometheus appends `_bucket`, `_sum`, `_count`. */
  duration: 'traces_span_metrics_duration_seconds',
} as const;

/** Labels of {@link SPAN_METRIC}. The conversation id is never one of them. */
export const SPAN_METRIC_LABEL = {
  /** `service.name` of the program. */
  service: 'service_name',
  /** Name of the root span or of a step. */
  span: 'span_name',
  /** `STATUS_CODE_UNSET`, `STATUS_CODE_OK` or `STATUS_CODE_ERROR`. */
  status: 'status_code',
  /** One of `OUTCOMES`; absent on spans that are neither a conversation nor a step. */
  outcome: 'conversation_outcome',
} as const;

/**
 * Name under which Prometheus knows the OpenTelemetry metric or attribute `name`: every character that Prometheus does
 * not allow becomes `_` (OpenTelemetry specification, Prometheus and OpenMetrics Compatibility).
 * @param unitWord Word that is appended, such as `seconds` for a metric in `s`; none for units in braces.
 */
export function prometheusNameOf(name: string, unitWord?: string): string {
  const legal = name.replace(/[^a-zA-Z0-9_:]+/g, '_');
  return unitWord === undefined ? legal : `${legal}_${unitWord}`;
}

/**
 * `bound` as Prometheus 3 writes it in the label `le`: whole numbers with one decimal, `7.0`
 * (Prometheus 3 migration guide, "le and quantile label values").
 * @param bound A bucket bound, in the unit of the histogram.
 */
export function prometheusBucketLabelOf(bound: number): string {
  return Number.isInteger(bound) ? bound.toFixed(1) : String(bound);
}
