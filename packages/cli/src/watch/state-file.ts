import { readFile, rename, writeFile } from 'node:fs/promises';
import { UsageError } from '../usage-error.ts';
import type { Condition } from './conditions.ts';

const VERSION = 1;

interface State {
  version: typeof VERSION;
  conditions: Record<string, Condition>;
}

/**
 * The conditions that an earlier `watch` left in `path`; none where there is no such file yet.
 * @throws {@link UsageError} when the file is something else.
 */
export async function readState(path: string): Promise<Map<string, Condition>> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new Map();
    throw new UsageError(`--state cannot be read: ${(error as Error).message}.`, { cause: error });
  }
  const state = parsed(text);
  if (!isState(state)) {
    throw new UsageError(
      `--state ${path} is not a file that watch has written. Give another one, or delete it to begin anew.`,
    );
  }
  return new Map(Object.entries(state.conditions));
}

/** Writes `conditions` beside `path` and puts the file in its place, so that it is never half written. */
export async function writeState(path: string, conditions: ReadonlyMap<string, Condition>): Promise<void> {
  const state: State = { version: VERSION, conditions: Object.fromEntries(conditions) };
  const written = `${path}.${process.pid}.new`;
  try {
    await writeFile(written, `${JSON.stringify(state, null, 2)}\n`);
    await rename(written, path);
  } catch (error) {
    throw new UsageError(`--state cannot be written: ${(error as Error).message}.`, { cause: error });
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isState(value: unknown): value is State {
  if (typeof value !== 'object' || value === null) return false;
  const { version, conditions } = value as Partial<State>;
  if (version !== VERSION || typeof conditions !== 'object' || conditions === null) return false;
  return Object.values(conditions).every(
    (each) => typeof each === 'object' && typeof each?.sinceUnixMs === 'number' && typeof each.alert?.text === 'string',
  );
}
