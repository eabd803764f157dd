import {
  type BigIntStats,
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  lstatSync,
  openSync,
  readdirSync,
  realpathSync,
  type Stats,
  statSync,
} from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { LocalError } from './local-error.ts';

/**
 * The absolute path of the store that `path` names, without symbolic links. A rewrite replaces the file itself, and would
 * leave the one behind a link as it was; and the same store has the same path, whichever way leads to it.
 */
export function resolveStore(path: string): string {
  return withoutLinks(resolve(path));
}

function withoutLinks(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    // It does not exist yet, or cannot be reached, which opening it reports.
    const folder = dirname(path);
    return folder === path ? path : join(withoutLinks(folder), basename(path));
  }
}

/** DuckDB's write-ahead log beside a store: what has been committed since the last checkpoint. */
export const logOf = (storePath: string): string => `${storePath}.wal`;

/** The log, and its names while DuckDB makes a checkpoint or recovers from an incomplete one. */
const logFilesOf = (storePath: string): string[] =>
  ['', '.checkpoint', '.recovery'].map((ending) => logOf(storePath) + ending);

/**
 * Checks that only regular files are in the places of the store and its log. DuckDB would wait for ever for a pipe, and
 * truncate the file behind a link.
 * @throws {@link LocalError} `STORE_UNREADABLE`
 */
export function checkRegular(storePath: string): void {
  for (const path of [storePath, ...logFilesOf(storePath)]) {
    // The store itself may be found by a link, see `resolveStore`.
    const stats = (path === storePath ? statSync : lstatSync)(path, { throwIfNoEntry: false });
    if (stats === undefined && lstatSync(path, { throwIfNoEntry: false }) !== undefined) {
      throw new LocalError('STORE_UNREADABLE', `${path} is a symbolic link to a file that does not exist; remove it`);
    }
    if (stats === undefined || stats.isFile()) continue;
    const advice = path === storePath ? 'name another file' : 'move it away';
    throw new LocalError('STORE_UNREADABLE', `${path} is ${kindOf(stats)}, not a regular file; ${advice}`);
  }
}

function kindOf(stats: Stats): string {
  if (stats.isDirectory()) return 'a folder';
  if (stats.isSymbolicLink()) return 'a symbolic link';
  if (stats.isFIFO()) return 'a pipe';
  return stats.isSocket() ? 'a socket' : 'a device';
}

/** A copy of the store in the making; useless until it is complete. */
export const unfinishedCopyOf = (storePath: string): string => `${storePath}.rewriting`;

/** A complete copy that replaces the store. As soon as it has this name, it is the store. */
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
  const names = readdirSync(folder).filter((name) => isOfStore(storePath, name) && name.includes('.damaged-'));
  return names.toSorted().map((name) => join(folder, name));
}

/** Whether the file called `name` in the folder of the store is the store, or belongs to it. */
function isOfStore(storePath: string, name: string): boolean {
  return name === basename(storePath) || name.startsWith(`${basename(storePath)}.`);
}

/** Identifies the file at a path, also when other paths lead to it. */
export function fileIdOf(path: string): string | undefined {
  const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stats === undefined ? undefined : idOf(stats);
}

function idOf({ dev, ino }: BigIntStats): string {
  return `${dev}:${ino}`;
}

/**
 * Makes the finished copy the store. The rest of the old one is removed first, above all its log, which must never be
 * replayed on the new one. Idempotent: after a crash at any point, running it again completes it.
 */
export async function putFinishedCopyInPlace(storePath: string): Promise<void> {
  for (const path of logFilesOf(storePath)) await rm(path, { force: true });
  await rename(finishedCopyOf(storePath), storePath);
  syncFolder(dirname(storePath));
}

/** Removes copies that were being made when a process ended. Only the process that holds the store may call it. */
export async function removeUnfinishedCopies(storePath: string): Promise<void> {
  for (const name of await readdir(dirname(storePath))) {
    if (name.startsWith(`${basename(storePath)}.rewriting`) || name.startsWith(`${basename(storePath)}.backup-`)) {
      await rm(`${dirname(storePath)}/${name}`, { force: true, recursive: true });
    }
  }
}

/** Flushes `folder`, so that a rename in it survives a power loss. */
export function syncFolder(folder: string): void {
  // Windows cannot open folders, and makes renames durable itself.
  if (process.platform === 'win32') return;
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Creates the folder of a store, accessible to its owner only. Returns whether it was missing. */
export async function makeStoreFolder(storePath: string): Promise<boolean> {
  return (await mkdir(dirname(storePath), { recursive: true, mode: 0o700 })) !== undefined;
}

/**
 * Removes the permissions of other users on the store's files, and on its folder if that holds nothing else: there may
 * be texts of conversations in them. Returns the paths that were changed.
 */
export async function narrowPermissions(storePath: string): Promise<string[]> {
  if (process.platform === 'win32') return [];
  const folder = dirname(storePath);
  const names = await readdir(folder);
  const ownNames = names.filter((name) => isOfStore(storePath, name));
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
  const stats = lstatSync(path, { throwIfNoEntry: false });
  const isExpected = mode === 0o700 ? stats?.isDirectory() : stats?.isFile();
  if (stats === undefined || isExpected !== true || stats.uid !== process.getuid?.()) return undefined;
  const found = stats.mode & 0o777;
  if ((found & ~mode) === 0) return undefined;
  chmodSync(path, found & mode);
  return found.toString(8).padStart(4, '0');
}

/**
 * Watches that a store's path still names the file that was opened. Writes to a file that has been deleted or replaced
 * appear to succeed, and are lost when the process ends.
 */
export class FileWatch {
  readonly id: string;
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
    this.id = fileIdOf(path) ?? '';
  }

  /** @throws {@link LocalError} `STORE_UNWRITABLE` when there is no file at the path, or another one */
  check(): void {
    const id = fileIdOf(this.#path);
    if (id === this.id) return;
    const what = id === undefined ? 'has been removed or moved' : 'has been replaced by another file';
    throw new LocalError('STORE_UNWRITABLE', `the store ${this.#path} ${what} while it was in use`);
  }

  /**
   * Whether the log is there, after a commit. After a checkpoint there is none; it is created here, so that only its
   * owner can read it.
   */
  hasLog(): boolean {
    const log = logOf(this.#path);
    if (existsSync(log)) return true;
    closeSync(openSync(log, 'a', 0o600));
    return false;
  }
}
