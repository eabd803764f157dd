import { codedError } from '@convotel/conventions';

/** What is not a valid OTLP trace request (`ExportTraceServiceRequest`); the message gives the place and the reason. */
export class OtlpFormatError extends codedError('OtlpFormatError') {
  constructor(message: string, options?: ErrorOptions) {
    super('OTLP_MALFORMED', message, options);
  }
}

/** Quotes a foreign value for an error message, shortened so that a hostile one cannot fill a log. */
export function quoted(value: unknown): string {
  const text = JSON.stringify(typeof value === 'bigint' ? String(value) : value) ?? String(value);
  return text.length <= 60 ? text : `${text.slice(0, 57)}…`;
}
