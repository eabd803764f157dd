import { SourceError } from '../../errors.ts';
import type { SourceErrorCode } from '../../errors.ts';

/** Messages for the server's error codes, because its own messages can be very long. */
const SENTENCES: Readonly<Record<string, (context: ErrorContext) => readonly [SourceErrorCode, string]>> = {
  60: ({ table, database }) => [
    'WRONG_ANSWER',
    `there is no table ${table} in the database ${database}; \`convotel clickhouse ddl\` prints what makes it; or name another one with ?table=`,
  ],
  81: ({ database }) => [
    'WRONG_ANSWER',
    `there is no database ${database}; name another one in the address, such as clickhouse://host/otel`,
  ],
  159: ({ maxSeconds }) => [
    'UNREACHABLE',
    `the question took longer than ${maxSeconds} seconds, and was stopped; ask about a shorter window`,
  ],
  160: ({ maxSeconds }) => [
    'UNREACHABLE',
    `the server expects the question to take longer than ${maxSeconds} seconds; ask about a shorter window`,
  ],
  241: () => [
    'WRONG_ANSWER',
    'the question needs more memory than it may take; ask about a shorter window, or let the profile of the user allow more (max_memory_usage)',
  ],
  497: ({ table, database }) => [
    'WRONG_ANSWER',
    `the user may not read ${database}.${table}; grant it: GRANT SELECT ON ${database}.${table} TO the user`,
  ],
  516: () => [
    'WRONG_ANSWER',
    'user or password is wrong; set CONVOTEL_CLICKHOUSE_USER and CONVOTEL_CLICKHOUSE_PASSWORD',
  ],
  164: () => ['WRONG_ANSWER', 'the user may not set limits; give it readonly = 2 instead of 1'],
  452: () => [
    'WRONG_ANSWER',
    'the profile of the user forbids the limits that convotel sets; allow them up to its own',
  ],
  202: () => ['UNREACHABLE', 'the server is answering as many queries as it may; try again'],
  115: () => [
    'WRONG_ANSWER',
    'the server does not know a setting that convotel sends; ClickHouse 24.8 or newer is needed',
  ],
  46: () => [
    'WRONG_ANSWER',
    'the server does not know a function that convotel uses; ClickHouse 24.8 or newer is needed',
  ],
  47: ({ table }) => [
    'WRONG_ANSWER',
    `${table} lacks a column that the collector writes; \`convotel clickhouse ddl\` prints a table that has them all`,
  ],
};

/** Values for error messages. */
export interface ErrorContext {
  location: string;
  database: string;
  table: string;
  maxSeconds: number;
}

/** Converts an error of the server or the network to a {@link SourceError}; returns any other error unchanged. */
export function explainClickHouseError(error: unknown, context: ErrorContext): unknown {
  // Not `instanceof Error`: a network error may belong to another realm.
  const { code, name, message = '' } = error as { code?: unknown; name?: string; message?: string };
  if (error instanceof SourceError || name === 'TimeError' || message === '') return error;
  const sentence = SENTENCES[String(code)];
  if (sentence !== undefined) {
    const [sourceErrorCode, text] = sentence(context);
    return new SourceError(sourceErrorCode, `${context.location}: ${text}`, { cause: error });
  }
  if (typeof code === 'string' && /CERT|SIGNATURE|^ERR_(?:TLS|SSL)|^EPROTO$/.test(code)) {
    const text = `no safe connection to ClickHouse at ${context.location} (${code}); is ?secure=true right for this port? A certificate authority of your own goes into NODE_EXTRA_CA_CERTS`;
    return new SourceError('UNREACHABLE', text, { cause: error });
  }
  if (typeof code === 'string' && /^E[A-Z_]+$/.test(code)) {
    const text = `ClickHouse cannot be reached at ${context.location} (${code}); check host and port, the HTTP port is usually 8123`;
    return new SourceError('UNREACHABLE', text, { cause: error });
  }
  if (/timeout/i.test(message)) {
    const text = `${context.location} did not answer in time; ask about a shorter window`;
    return new SourceError('UNREACHABLE', text, { cause: error });
  }
  const [firstLine = ''] = message.split('\n');
  const text = `${context.location} answered with an error: ${firstLine.slice(0, 300)}`;
  return new SourceError('WRONG_ANSWER', text, { cause: error });
}
