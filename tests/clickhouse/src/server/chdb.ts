import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

/** The folder with the engine's own install: half a gigabyte, so it is never part of the root's. */
export const ENGINE_FOLDER = fileURLToPath(new URL('../../engine/', import.meta.url));

/** What an engine says of a statement that has run. */
export interface EngineResult {
  bytes(): Uint8Array;
  rowsRead?: number;
  bytesRead?: number;
}

/** One connection: its settings, database and temporary tables are its own. Text that it is given must hold no NUL. */
export interface EngineSession {
  /** Runs a short statement at once, blocking; the answer as text. */
  query(sql: string, format?: string): string;
  /** Runs a statement off the event loop. */
  queryAsync(sql: string, options?: { format: string }): Promise<EngineResult>;
  /** Streams the rows of a `SELECT` or `WITH`, in any format of rows. */
  queryStream(sql: string, options: { format: string }): AsyncIterable<{ raw(): Uint8Array }>;
  close(): void;
}

/** Opens a connection on the folder `path`; one process may hold many on one folder, and no other process any. */
export function openSession(path: string): EngineSession {
  const { Session } = createRequire(ENGINE_FOLDER)('chdb') as { Session: new (path: string) => EngineSession };
  return new Session(path);
}

/** A text as a literal of SQL. The engine's text interface ends at a NUL, so that is escaped too. */
export function literal(value: string): string {
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\0', '\\0')}'`;
}
