import { randomUUID } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EngineResult, EngineSession } from './chdb.ts';
import { ClickHouseRefusal } from './errors.ts';
import type { ClickHouseRequest } from './request.ts';

/** A statement, and how its answer is to be written. */
export interface Statement {
  sql: string;
  format: string;
  /** Whether the engine can hand its rows over as they come. */
  isStreamed: boolean;
}

/** An `INSERT` whose rows come with the request. */
export interface Insert {
  /** Table with its columns. */
  target: string;
  settings: string;
  format: string;
  data: Buffer;
}

const INSERT =
  /^\s*INSERT\s+INTO\s+(?:TABLE\s+)?(?<target>(?:FUNCTION\s+.+?\)|(?:`[^`]+`|"[^"]+"|[\w.])+)\s*(?:\([^)]*\))?)\s*(?<settings>SETTINGS\s+.+?)?\s*(?:FORMAT\s+(?<format>\w+)|(?<values>VALUES)\b)(?<data>.*)$/is;
/** The engine streams these only: neither DESCRIBE, SHOW and EXPLAIN nor definitions. */
const STREAMED_VERBS = new Set(['SELECT', 'WITH', 'FROM']);
/** Formats of rows alone; when streamed, each chunk of `JSON` is a document, and each of `…WithNames` has the names again. */
const STREAMED_FORMATS =
  /^(JSONEachRow|JSONLines|NDJSON|JSONStringsEachRow|JSONCompactEachRow|JSONCompactStringsEachRow|TabSeparated|TSV|CSV|RowBinary|Native)$/i;
const COMMENTS_AND_BRACKETS = /^(\s+|--[^\n]*\n?|\/\*[\s\S]*?\*\/|\()*/;

/** The first words of a request's statement. */
function headOf({ parameters, body }: ClickHouseRequest): string {
  return parameters.get('query') || body.subarray(0, 65_536).toString();
}

function verbOf(sql: string): string {
  return (/^[a-z]*/i.exec(sql.replace(COMMENTS_AND_BRACKETS, ''))?.[0] ?? '').toUpperCase();
}

/** The insert that a request is; undefined where it is another statement, or has its values in the SQL itself. */
export function findInsert(request: ClickHouseRequest): Insert | undefined {
  const head = headOf(request);
  const groups = verbOf(head) === 'INSERT' ? INSERT.exec(head)?.groups : undefined;
  if (groups === undefined) return undefined;
  const isInAddress = (request.parameters.get('query') ?? '') !== '';
  const inline = groups['data'] ?? '';
  if (groups['values'] !== undefined && inline.trim() !== '' && !isInAddress) return undefined;
  const statementBytes = Buffer.byteLength(head.slice(0, head.length - inline.length));
  const leadingBlanks = /^\s*/.exec(inline)![0].length;
  return {
    target: groups['target']!,
    settings: groups['settings'] ?? '',
    format: groups['format'] ?? 'Values',
    data: isInAddress
      ? Buffer.concat([Buffer.from(inline.trimStart()), request.body])
      : request.body.subarray(statementBytes + leadingBlanks),
  };
}

/** Runs an insert. The engine takes binary formats from files only. */
export async function runInsert(
  connection: EngineSession,
  { target, settings, format, data }: Insert,
  spoolFolder: string,
): Promise<EngineResult | undefined> {
  if (data.length === 0) return undefined;
  const file = join(spoolFolder, randomUUID());
  writeFileSync(file, data);
  try {
    return await connection.queryAsync(
      `INSERT INTO ${target} FROM INFILE '${file}' COMPRESSION 'none' ${settings} FORMAT ${format}`,
    );
  } finally {
    rmSync(file, { force: true });
  }
}

/** @throws `ClickHouseRefusal` 62 when there is none. */
export function readStatement(request: ClickHouseRequest): Statement {
  const { parameters, headers, body } = request;
  const sql = [parameters.get('query') ?? '', body.toString()].filter((part) => part !== '').join('\n');
  if (sql.trim() === '') {
    throw new ClickHouseRefusal(62, 'SYNTAX_ERROR', 'Syntax error: failed at position 1 (end of query). Empty query.');
  }
  const format =
    /\bFORMAT\s+([a-z]\w*)\s*(?:SETTINGS\b[^;]*)?;?\s*$/i.exec(sql)?.[1] ??
    parameters.get('default_format') ??
    String(headers['x-clickhouse-format'] ?? 'TabSeparated');
  const isStreamed =
    STREAMED_VERBS.has(verbOf(headOf(request))) &&
    STREAMED_FORMATS.test(format) &&
    parameters.get('wait_end_of_query') !== '1';
  return { sql, format, isStreamed };
}
