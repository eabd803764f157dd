import { SourceError } from '../../source-error.ts';

/** What an address says. */
export interface ClickHouseAddress {
  /** The server's HTTP interface. */
  url: string;
  database: string;
  table: string;
  /** The address as a person may see it. */
  location: string;
}

const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;

/**
 * Reads `clickhouse://host[:port]/database[?table=otel_traces&secure=true]`.
 * @throws `SourceError` `UNREACHABLE` when it is not one; nothing of a password in it is repeated.
 */
export function parseClickHouseAddress(address: string): ClickHouseAddress {
  const form = 'Give one such as clickhouse://localhost:8123/otel';
  // Addresses of schemes that the URL standard does not know have opaque hosts, so it is read as HTTP.
  const text = address.replace(/^clickhouse:/i, 'http:');
  if (!URL.canParse(text)) throw new SourceError('UNREACHABLE', `the address of ClickHouse is not valid. ${form}.`);
  const { hostname, port, username, password, pathname, searchParams } = new URL(text);
  if (username !== '' || password !== '') {
    throw new SourceError(
      'UNREACHABLE',
      'the address of ClickHouse has a user or a password in it, where others may see them. Set CONVOTEL_CLICKHOUSE_USER and CONVOTEL_CLICKHOUSE_PASSWORD instead.',
    );
  }
  for (const name of searchParams.keys()) {
    if (name === 'table' || name === 'secure') continue;
    throw new SourceError(
      'UNREACHABLE',
      `the address of ClickHouse has an unknown part "${name}". ${form}?table=otel_traces&secure=true.`,
    );
  }
  const isSecure = searchParams.get('secure') === 'true';
  // The URL standard drops the port 80 of HTTP, so where it was written it is asked for in the text.
  const written = port || (/^http:\/\/[^/?#]*:80(?:[/?#]|$)/i.test(text) ? '80' : isSecure ? '8443' : '8123');
  const database = pathname.replace(/^\/|\/$/g, '') || 'default';
  const table = searchParams.get('table') ?? 'otel_traces';
  for (const name of [database, table]) {
    if (!IDENTIFIER.test(name)) {
      throw new SourceError('UNREACHABLE', `"${name}" is not the name of a database or table. ${form}.`);
    }
  }
  return {
    url: `${isSecure ? 'https' : 'http'}://${hostname}:${written}`,
    database,
    table,
    location: `clickhouse://${hostname}:${written}/${database}${table === 'otel_traces' ? '' : `?table=${table}`}`,
  };
}
