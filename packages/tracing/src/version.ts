/** Version of this package, passed to OpenTelemetry with each tracer. */
export const VERSION = '0.1.0';
