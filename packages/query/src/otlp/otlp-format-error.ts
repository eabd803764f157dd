/** An OTLP/JSON trace request (`ExportTraceServiceRequest`, proto3 JSON mapping) that is not as it must be. */
export class OtlpFormatError extends Error {
  override readonly name = 'OtlpFormatError';
}

/** Quotes a foreign value for an error message, shortened so that a hostile one cannot fill a log. */
export function quoted(value: unknown): string {
  const text = JSON.stringify(typeof value === 'bigint' ? String(value) : value) ?? String(value);
  return text.length <= 60 ? text : `${text.slice(0, 57)}…`;
}
