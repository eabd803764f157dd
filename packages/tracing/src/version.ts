/** Version of this package, told to OpenTelemetry with every tracer. */
export const VERSION = '0.1.0';
