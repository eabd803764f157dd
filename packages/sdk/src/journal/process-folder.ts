import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { Server } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { threadId } from 'node:worker_threads';
import { HEARTBEAT_FILE, writeHeartbeat } from './heartbeat.ts';
import type { Heartbeat } from './heartbeat.ts';
import { FORMAT_VERSION } from './journal-files.ts';
import type { JournalFiles } from './journal-files.ts';

/** The process that writes to a folder. */
export interface ProcessIdentity {
  version: number;
  /** Identifies the kernel and pid namespace in which the lock can be probed. */
  host: string;
  pid: number;
  threadId: number;
  /** Path of the local socket that accepts connections while the process is alive; absent if none could be created. */
  lock?: string | undefined;
  /** The process has shut down, and left spans behind. */
  isClosed?: boolean | undefined;
}

export const HEARTBEAT_INTERVAL_MS = 30_000;
/** A folder whose lock cannot be probed is taken over if its heartbeat is older than this. */
const HEARTBEAT_EXPIRES_MS = 10 * 60_000;
/** Maximum length of a local socket's path that all platforms accept. */
const MAX_SOCKET_PATH_BYTES = 100;

export const ADOPTED_FOLDER = 'adopted';
export const UNKNOWN_FOLDER = 'unknown';
const IDENTITY_FILE = 'process.json';

/** Identifies the kernel and pid namespace; stays the same after a reboot. */
export function currentHost(): string {
  const parts = [hostname()];
  for (const read of [() => readFileSync('/etc/machine-id', 'utf8').trim(), () => readlinkSync('/proc/self/ns/pid')]) {
    try {
      parts.push(read());
    } catch {
      // On other systems than Linux, the host name is used.
    }
  }
  return parts.join(' ');
}

/** The folder of this process or worker thread, and the lock that shows that it is alive. */
export class ProcessFolder {
  readonly name: string;
  readonly path: string;
  readonly identity: ProcessIdentity;
  readonly #files: JournalFiles;
  readonly #heartbeat: () => Heartbeat;
  #lock: Server | undefined;

  /**
   * Creates the folder. `heartbeat` returns the content of each heartbeat.
   * @throws if the folder cannot be created or written.
   */
  constructor(files: JournalFiles, serviceFolder: string, heartbeat: () => Heartbeat) {
    this.#files = files;
    this.#heartbeat = heartbeat;
    this.name = `${Date.now().toString(36)}-${process.pid}-${randomBytes(6).toString('hex')}`;
    this.path = join(serviceFolder, this.name);
    files.makeFolder(this.path);
    this.identity = { version: FORMAT_VERSION, host: currentHost(), pid: process.pid, threadId };
    const lock = this.#listen();
    if (lock !== undefined) this.identity.lock = lock;
    // The heartbeat is written first, because a folder without an identity is judged by it.
    this.beat();
    files.writeText(join(this.path, IDENTITY_FILE), JSON.stringify(this.identity));
  }

  /** Binds the lock synchronously, so that there is no moment at which a living process looks dead. */
  #listen(): string | undefined {
    for (const path of lockPaths(this.path)) {
      const server = createServer((socket) => socket.destroy());
      let failure: Error | undefined;
      server.on('error', (error) => {
        failure = error;
      });
      try {
        // `exclusive`, because a cluster worker would otherwise share a socket of its primary process.
        server.listen({ path, exclusive: true });
        server.unref();
      } catch (error) {
        failure = error instanceof Error ? error : new Error(String(error));
      }
      if (failure === undefined && server.listening) {
        this.#lock = server;
        return path;
      }
    }
    return undefined;
  }

  /**
   * Writes a heartbeat, for processes that cannot probe the lock. Returns the current time by the file system's clock,
   * in ms.
   */
  beat(): number {
    return writeHeartbeat(this.#files, this.path, this.#heartbeat());
  }

  /** Releases the folder, so that the next start takes over the spans in it. Never throws. */
  close(): void {
    try {
      this.beat();
      this.#files.writeText(join(this.path, IDENTITY_FILE), JSON.stringify({ ...this.identity, isClosed: true }));
    } catch {
      // The closed lock, or after ten minutes the heartbeat, shows the same.
    }
    this.#lock?.close();
    this.#lock = undefined;
  }

  /** Releases and deletes the folder, unless it contains an adopted folder that could not be read. Never throws. */
  remove(): void {
    try {
      if (this.#holdsAdopted()) return this.close();
      this.#lock?.close();
      this.#lock = undefined;
      this.#files.removeFolder(this.path);
    } catch {
      // The next start deletes a folder without spans.
    }
  }

  #holdsAdopted(): boolean {
    try {
      return this.#files.list(join(this.path, ADOPTED_FOLDER)).length > 0;
    } catch {
      // There is no such folder.
      return false;
    }
  }
}

function lockPaths(folder: string): string[] {
  if (process.platform === 'win32') return [`\\\\.\\pipe\\convotel-${randomBytes(12).toString('hex')}`];
  const digest = createHash('sha256').update(folder).digest('hex').slice(0, 24);
  return [join(folder, 'lock'), join(tmpdir(), `convotel-${digest}.lock`)].filter(
    (path) => Buffer.byteLength(path) <= MAX_SOCKET_PATH_BYTES,
  );
}

/** Whether the folder's process has ended, as far as can be determined. */
export async function isDead(files: JournalFiles, folder: string, host: string, nowMs: number): Promise<boolean> {
  const identity = readIdentity(files, folder);
  if (identity?.isClosed === true) return true;
  if (identity?.host === host && identity.lock !== undefined) {
    const answer = await askLock(identity.lock);
    // A terminated worker thread removes its socket. A socket outside of the folder may have been deleted by the system
    // instead.
    if (answer === 'gone' && (identity.lock.startsWith(folder) || !isRunning(identity.pid))) return true;
    if (answer !== 'gone') return answer === 'dead';
  }
  return nowMs - lastSignMs(files, folder) > HEARTBEAT_EXPIRES_MS;
}

export function readIdentity(files: JournalFiles, folder: string): ProcessIdentity | undefined {
  try {
    const identity: unknown = JSON.parse(files.readText(join(folder, IDENTITY_FILE)));
    return typeof identity === 'object' && identity !== null ? (identity as ProcessIdentity) : undefined;
  } catch {
    // Being created at this moment, or damaged: the heartbeat decides.
    return undefined;
  }
}

/** A pid that is in use may belong to another process by now. */
function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

/** The kernel refuses connections to the socket of a dead process, but not of a process that hangs. */
function askLock(path: string): Promise<'alive' | 'dead' | 'gone'> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve('alive');
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      socket.destroy();
      // Any other error, such as a full accept queue, means that the process is alive.
      if (error.code === 'ECONNREFUSED') resolve('dead');
      else resolve(error.code === 'ENOENT' ? 'gone' : 'alive');
    });
  });
}

/** When the folder's process was last known to be alive: its heartbeat, or a later write to a segment. */
export function lastSignMs(files: JournalFiles, folder: string): number {
  let latest = 0;
  for (const file of files.list(folder)) {
    if (file === RECOVERED_FILE || !(file.endsWith('.seg') || file === HEARTBEAT_FILE)) continue;
    try {
      latest = Math.max(latest, files.modifiedMs(join(folder, file)));
    } catch {
      // Deleted since it was listed.
    }
  }
  // A folder that is just being created is still empty.
  return latest === 0 ? files.modifiedMs(folder) : latest;
}

/** Contains the spans that were open in a dead process. Sorts after all segments. */
export const RECOVERED_FILE = 'recovered.seg';

/**
 * Disk usage in bytes of the service's other processes. The newest segment of each counts as full, because they may
 * fill it before they check the limit again.
 */
export function usedByOthers(
  files: JournalFiles,
  serviceFolder: string,
  own: ProcessFolder,
  segmentBytes: number,
): number {
  let bytes = 0;
  for (const name of entriesOf(files, serviceFolder)) {
    if (name === own.name) continue;
    const folder = join(serviceFolder, name);
    const sizes = segmentSizes(files, folder);
    const newest = sizes.pop();
    if (newest !== undefined) bytes += Math.max(newest, segmentBytes);
    for (const size of sizes) bytes += size;
    for (const adopted of entriesOf(files, join(folder, ADOPTED_FOLDER))) {
      for (const size of segmentSizes(files, join(folder, ADOPTED_FOLDER, adopted))) bytes += size;
    }
  }
  return bytes;
}

function segmentSizes(files: JournalFiles, folder: string): number[] {
  return entriesOf(files, folder)
    .filter((file) => file.endsWith('.seg'))
    .toSorted()
    .map((file) => sizeOf(files, join(folder, file)));
}

/** Like `readdir`, but empty if another process has deleted the folder meanwhile. */
function entriesOf(files: JournalFiles, folder: string): string[] {
  try {
    return files.list(folder);
  } catch {
    return [];
  }
}

function sizeOf(files: JournalFiles, path: string): number {
  try {
    return files.size(path);
  } catch {
    return 0;
  }
}
