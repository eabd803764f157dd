import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Answer } from './answer.ts';
import { literal, openSession } from './chdb.ts';
import { describeError } from './errors.ts';
import { helloBlock } from './hello-block.ts';
import { readRequest } from './request.ts';
import type { ClickHouseRequest } from './request.ts';
import { Sessions } from './sessions.ts';
import { applySettings } from './settings.ts';
import { findInsert, readStatement, runInsert } from './statements.ts';
import { logIn } from './users.ts';
import type { User, Users } from './users.ts';

/**
 * ClickHouse's HTTP interface in front of its engine in this process, for tests:
 * `node main.js --path <folder> [--port 0] [--users <file>]`. The first line that it prints is `READY <address> <version>`.
 *
 * The engine is the real one; users, sessions, query ids, statuses, compression, the end of a query whose client has
 * gone, and the handshake of the collector's exporter are made here. What there is not: the native protocol, TLS, roles
 * and quotas, clusters.
 */
const { values: options } = parseArgs({
  options: { port: { type: 'string', default: '0' }, path: { type: 'string' }, users: { type: 'string' } },
});
if (options.path === undefined) throw new Error('--path <folder> is missing');
const folder = options.path;
const spoolFolder = mkdtempSync(join(tmpdir(), 'convotel-clickhouse-'));
const users =
  options.users === undefined ? { default: {} } : (JSON.parse(readFileSync(options.users, 'utf8')) as Users);
// The folder stays open as long as one connection is.
const ownSession = openSession(folder);
const [version, timeZone] = ownSession.query('SELECT version(), timezone()', 'TSV').trim().split('\t') as [
  string,
  string,
];
const sessions = new Sessions(folder);

async function handle(message: IncomingMessage, response: ServerResponse): Promise<void> {
  if (/^\/(ping|replicas_status)?$/.test(message.url ?? '') && message.method === 'GET') {
    response.end('Ok.\n');
    return;
  }
  let request: ClickHouseRequest = {
    method: 'GET',
    parameters: new URLSearchParams(),
    headers: {},
    body: Buffer.alloc(0),
  };
  try {
    request = await readRequest(message);
    // One id for the whole request, whoever made it.
    if (!request.parameters.has('query_id')) request.parameters.set('query_id', randomUUID());
    const { name, user } = logIn(users, request);
    const session = sessions.lend(name, request.parameters);
    try {
      applySettings(session.connection, request, user, session.isNew);
      if (endsWithClient(request, user)) response.once('close', () => endQuery(response, headOf(request).queryId));
      await run(session.connection, request, new Answer(response, request));
    } finally {
      session.giveBack();
    }
  } catch (error) {
    const { code, status, text } = describeError(error, version);
    if (response.headersSent) {
      response.destroy();
      return;
    }
    response.statusCode = status;
    response.setHeader('X-ClickHouse-Exception-Code', code);
    new Answer(response, request).writeWhole(Buffer.from(text), { ...headOf(request), format: 'TabSeparated' });
  }
}

async function run(
  connection: ReturnType<typeof openSession>,
  request: ClickHouseRequest,
  answer: Answer,
): Promise<void> {
  const head = headOf(request);
  const insert = findInsert(request);
  if (insert !== undefined) {
    const result = await runInsert(connection, insert, spoolFolder);
    answer.writeWhole(Buffer.alloc(0), { ...head, format: 'Null', result, writtenRows: result?.rowsRead });
    return;
  }
  const { sql: text, format, isStreamed } = readStatement(request);
  const sql = withQueryIds(text);
  if (request.parameters.has('client_protocol_version') && /^\s*SELECT displayName\(\), version\(\)/.test(text)) {
    answer.writeWhole(helloBlock({ displayName: 'tests', version, timeZone }), { ...head, format: 'Native' });
    return;
  }
  const runWhole = async (): Promise<void> => {
    const result = await connection.queryAsync(sql, { format });
    answer.writeWhole(Buffer.from(result.bytes()), { ...head, format, result });
  };
  if (!isStreamed) return runWhole();
  const rows = connection.queryStream(sql, { format })[Symbol.asyncIterator]();
  // An error before the first rows still has a status of its own.
  const first = await rows.next();
  // Without rows the engine's stream lacks the line of names.
  if (first.done === true) return runWhole();
  const all = async function* (): AsyncGenerator<Buffer> {
    try {
      let part: IteratorResult<{ raw(): Uint8Array }> = first;
      while (part.done !== true) {
        yield Buffer.from(part.value.raw());
        part = await rows.next();
      }
    } finally {
      await rows.return?.();
    }
  };
  await answer.writeStream(all(), { ...head, format }, (error) => describeError(error, version).text);
}

/** Whether the query is to end when its client goes away: ClickHouse does that for queries that only read. */
function endsWithClient({ parameters }: ClickHouseRequest, user: User): boolean {
  const readonly = Number(parameters.get('readonly') ?? user.readonly ?? 0);
  return readonly > 0 && parameters.get('cancel_http_readonly_queries_on_client_close') === '1';
}

function endQuery(response: ServerResponse, queryId: string): void {
  if (response.writableFinished) return;
  ownSession.query(`KILL QUERY WHERE ${QUERY_ID} = ${literal(queryId)} ASYNC`);
}

/** The engine gives each query an id of its own; the one that was asked for is its `log_comment`. */
const QUERY_ID = "Settings['log_comment']";

function withQueryIds(sql: string): string {
  const processes = `(SELECT ${QUERY_ID} AS query_id, * EXCEPT query_id FROM system.processes)`;
  return sql.replaceAll(/\bFROM system\.processes\b/g, `FROM ${processes}`);
}

function headOf({ parameters }: ClickHouseRequest): { queryId: string; timeZone: string } {
  return { queryId: parameters.get('query_id') ?? '', timeZone };
}

const server = createServer((message, response) => void handle(message, response));
server.keepAliveTimeout = 30_000;
server.listen(Number(options.port), '127.0.0.1', () => {
  console.log(`READY http://127.0.0.1:${(server.address() as AddressInfo).port} ${version}`);
});
process.once('SIGTERM', () => {
  server.close();
  server.closeAllConnections();
  ownSession.close();
  rmSync(spoolFolder, { recursive: true, force: true });
  process.exit(0);
});
