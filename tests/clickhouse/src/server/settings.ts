import { literal } from './chdb.ts';
import type { EngineSession } from './chdb.ts';
import { ClickHouseRefusal } from './errors.ts';
import type { ClickHouseRequest } from './request.ts';
import type { User } from './users.ts';

/** Parameters of an address that are no settings. */
const PARAMETERS = new Set(
  (
    'query default_format database query_id session_id session_timeout session_check user password quota_key compress ' +
    'decompress stacktrace role close_session buffer_size client_protocol_version wait_end_of_query http_response_headers'
  ).split(' '),
);
/** Settings of the HTTP interface, which the engine itself does not know. */
const HTTP_SETTINGS = new Set(
  (
    'enable_http_compression http_zlib_compression_level send_progress_in_http_headers add_http_cors_header ' +
    'http_headers_progress_interval_ms cancel_http_readonly_queries_on_client_close'
  ).split(' '),
);

/** Puts the database, parameters and settings of a request on its connection; unknown settings are the engine's error. */
export function applySettings(
  connection: EngineSession,
  { method, parameters, headers }: ClickHouseRequest,
  user: User,
  isNew: boolean,
): void {
  // All in one statement: a server does not take a statement for each setting either, and it takes time.
  const changes: string[] = [];
  const set = (name: string, value: string): unknown => changes.push(`${name} = ${literal(value)}`);
  if (isNew) for (const [name, value] of Object.entries(user.settings ?? {})) set(name, value);
  const database = parameters.get('database') ?? headers['x-clickhouse-database'];
  if (database !== undefined) connection.query(`USE \`${String(database).replaceAll('`', '\\`')}\``);
  for (const [name, value] of parameters) {
    if (name.startsWith('param_')) set(name, value);
    else if (!PARAMETERS.has(name)) {
      if (!/^\w+$/.test(name)) throw new ClickHouseRefusal(115, 'UNKNOWN_SETTING', `Unknown setting '${name}'.`);
      if (user.readonly === 1) refuseChange(connection, name, value);
      if (!HTTP_SETTINGS.has(name)) set(name, value);
    }
  }
  set('log_comment', parameters.get('query_id') ?? '');
  const readonly = user.readonly ?? (method === 'GET' ? 2 : 0);
  if (readonly !== 0) set('readonly', String(readonly));
  connection.query(`SET ${changes.join(', ')}`);
}

/** The engine in process lets settings through in readonly mode; a server does not. */
function refuseChange(connection: EngineSession, name: string, value: string): void {
  const isSame = HTTP_SETTINGS.has(name)
    ? value === '0'
    : connection.query(`SELECT value FROM system.settings WHERE name = ${literal(name)}`, 'TSV').trim() === value;
  if (!isSame) throw new ClickHouseRefusal(164, 'READONLY', `Cannot modify '${name}' setting in readonly mode.`);
}
