import {
  type BigIntStats,
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readdirSync,
  statSync,
} from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { LocalError } from './local-error.ts';

/** DuckDB's log beside a store: what has been committed since the last checkpoint. */
export const logOf = (storePath: string): string => `${storePath}.wal`;

/** The log, and what DuckDB calls it while it makes a checkpoint or recovers from one that was not completed. */
const logFilesOf = (storePath: string): string[] =>
  ['', '.checkpoint', '.recovery'].map((ending) => logOf(storePath) + ending);

/** A copy of the store that is being made; worth nothing until it is whole. */
export const unfinishedCopyOf = (storePath: string): string => `${storePath}.rewriting`;

/** A whole copy that takes the store's place. From the moment that it has this name, it is the store. */
export const finishedCopyOf = (storePath: string): string => `${storePath}.rewritten`;

/** A name beside `path` for a damaged file, with the time in it. */
export function damagedNameOf(path: string, now: Date): string {
  const time = now.toISOString().replaceAll(/[-:]|\.\d+/g, '');
  for (let count = 1; ; count++) {
    const name = `${path}.damaged-${time}${count === 1 ? '' : `-${count}`}`;
    if (!existsSync(name)) return name;
  }
}

/** Files that were found damaged, and put aside beside the store at `storePath`; in order of name. */
export function damagedFilesOf(storePath: string): string[] {
  const folder = dirname(storePath);
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder).filter(
    (name) => name.startsWith(basename(storePath)) && name.includes('.damaged-'),
  );
  return names.toSorted().map((name) => join(folder, name));
}

/** Which file a path names, whatever else it may be called. */
export function fileIdOf(path: string): string | undefined {
  const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stats === undefined ? undefined : idOf(stats);
}

function idOf({ dev, ino }: BigIntStats): string {
  return `${dev}:${ino}`;
}

/**
 * Makes the finished copy the store: what is left of the old one goes first, its log above all, which must never be
 * replayed on the new one. Run again after a crash at any point, it ends with the same result.
 */
export async function putFinishedCopyInPlace(storePath: string): Promise<void> {
  for (const path of logFilesOf(storePath)) await rm(path, { force: true });
  await rename(finishedCopyOf(storePath), storePath);
  syncFolder(dirname(storePath));
}

/** Removes copies that were being made when a process ended. Only for the process that holds the store. */
export async function removeUnfinishedCopies(storePath: string): Promise<void> {
  for (const name of await readdir(dirname(storePath))) {
    if (name.startsWith(`${basename(storePath)}.rewriting`) || name.startsWith(`${basename(storePath)}.backup-`)) {
      await rm(`${dirname(storePath)}/${name}`, { force: true, recursive: true });
    }
  }
}

/** Makes what was renamed in `folder` last beyond a loss of power. */
export function syncFolder(folder: string): void {
  // Windows cannot open folders, and orders renames by itself.
  if (process.platform === 'win32') return;
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Makes the folder of a store, for its owner alone. Returns whether there was none before. */
export async function makeStoreFolder(storePath: string): Promise<boolean> {
  return (await mkdir(dirname(storePath), { recursive: true, mode: 0o700 })) !== undefined;
}

/**
 * Takes from others what they may do with the store's files, and with its folder where it holds nothing else: texts of
 * conversations may be in it. Returns what was narrowed.
 */
export async function narrowPermissions(storePath: string): Promise<string[]> {
  if (process.platform === 'win32') return [];
  const folder = dirname(storePath);
  const names = await readdir(folder);
  const ownNames = names.filter((name) => name.startsWith(basename(storePath)));
  const narrowed: string[] = [];
  for (const name of ownNames) {
    const path = `${folder}/${name}`;
    const mode = narrow(path, 0o600);
    if (mode !== undefined) narrowed.push(`${path} (mode ${mode})`);
  }
  if (ownNames.length === names.length) {
    const mode = narrow(folder, 0o700);
    if (mode !== undefined) narrowed.push(`${folder} (mode ${mode})`);
  }
  return narrowed;
}

/** Returns the mode that `path` had, if it was wider than `mode`. */
function narrow(path: string, mode: number): string | undefined {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined || stats.uid !== process.getuid?.() || stats.isDirectory() !== (mode === 0o700))
    return undefined;
  const found = stats.mode & 0o777;
  if ((found & ~mode) === 0) return undefined;
  chmodSync(path, found & mode);
  return found.toString(8).padStart(4, '0');
}

/**
 * Watches that a store's path still names the file that was opened. What is written to a file that somebody has deleted
 * or replaced looks like success, and is gone with the process.
 */
export class FileWatch {
  readonly id: string;
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
    this.id = fileIdOf(path) ?? '';
  }

  /** @throws {@link LocalError} `STORE_UNWRITABLE` when the path names no file, or another one */
  check(): void {
    const id = fileIdOf(this.#path);
    if (id === this.id) return;
    const what = id === undefined ? 'has been removed or moved' : 'has been replaced by another file';
    throw new LocalError('STORE_UNWRITABLE', `the store ${this.#path} ${what} while it was in use`);
  }

  /**
   * Whether the log is there, after a commit. A fresh log, which a checkpoint left out, is made here, so that only its
   * owner can read it.
   */
  hasLog(): boolean {
    const log = logOf(this.#path);
    if (existsSync(log)) return true;
    closeSync(openSync(log, 'a', 0o600));
    return false;
  }
}
