import { constants } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { isIPv4 } from 'node:net';
import { socketPathOf } from '@convotel/query/engine';
import { LocalError } from '../local-error.ts';
import { fileIdOf } from '../store-files.ts';

/** What a running back end says of itself in a small file beside its store. */
export interface Presence {
  /** Where it answers, such as `http://127.0.0.1:4318` or `unix:/run/convotel.sock`. */
  url: string;
  /** Random, new with every start; `/healthz` says the same one. */
  instanceId: string;
  pid: number;
  /** Absolute path of the store. A copy of the folder has another one. */
  storePath: string;
  /** Which files may stand at that path, by device and inode number: two, while one takes the other's place. */
  storeFiles: string[];
}

/** Far more than any presence has. */
const MAX_FILE_BYTES = 65_536;

/** The file beside the store at `storePath` in which a running back end says where it is. */
function presenceFileOf(storePath: string): string {
  return `${storePath}.serve.json`;
}

/**
 * Writes the file whole or not at all, so that nobody reads half of it; nobody else can read it.
 * @throws {@link LocalError} `STORE_UNWRITABLE`
 */
export async function writePresence(storePath: string, presence: Presence): Promise<void> {
  const path = presenceFileOf(storePath);
  try {
    await writeWhole(path, `${JSON.stringify(presence)}\n`);
  } catch (error) {
    const message =
      `${path}, by which other commands find this back end, cannot be written: ${(error as Error).message}; ` +
      'make room for it, or remove what stands in its way';
    throw new LocalError('STORE_UNWRITABLE', message, { cause: error });
  }
}

async function writeWhole(path: string, text: string): Promise<void> {
  const newPath = `${path}.new`;
  // What stands there is of a process that was killed; a folder or a link that somebody put there is not followed.
  await rm(newPath, { force: true });
  const file = await open(newPath, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
  try {
    await file.writeFile(text);
  } finally {
    await file.close();
  }
  await rename(newPath, path);
}

/**
 * What the file says of the back end that runs on the store at `storePath`; undefined where there is none, or none to
 * be trusted: only a regular file of the same user counts, that names this very store and a loopback address or a socket.
 */
export async function readPresence(storePath: string): Promise<Presence | undefined> {
  let text: string;
  try {
    // A pipe in its place would wait for a writer, and a link lead anywhere.
    const noFollow = process.platform === 'win32' ? 0 : constants.O_NOFOLLOW | constants.O_NONBLOCK;
    const file = await open(presenceFileOf(storePath), constants.O_RDONLY | noFollow);
    try {
      const stats = await file.stat();
      const isOwn = process.getuid === undefined || stats.uid === process.getuid();
      if (!stats.isFile() || !isOwn || stats.size > MAX_FILE_BYTES) return undefined;
      text = await file.readFile('utf8');
    } finally {
      await file.close();
    }
  } catch {
    // None there, or none that can be opened: either way it leads nowhere, and the store itself can still be tried.
    return undefined;
  }
  const presence = parsePresence(text);
  if (presence === undefined || presence.storePath !== storePath || !isLoopbackAddress(presence.url)) return undefined;
  return presence.storeFiles.includes(fileIdOf(storePath) ?? '') ? presence : undefined;
}

/** Removes the file if it is still that of `instanceId`. */
export async function removePresence(storePath: string, instanceId: string): Promise<void> {
  if ((await readPresence(storePath))?.instanceId === instanceId) await rm(presenceFileOf(storePath), { force: true });
}

function parsePresence(text: string): Presence | undefined {
  try {
    const { url, instanceId, pid, storePath, storeFiles } = JSON.parse(text) as Partial<Presence>;
    const isWhole =
      typeof url === 'string' &&
      typeof instanceId === 'string' &&
      typeof pid === 'number' &&
      typeof storePath === 'string' &&
      Array.isArray(storeFiles);
    return isWhole ? { url, instanceId, pid, storePath, storeFiles } : undefined;
  } catch {
    // Not valid JSON: it says nothing, and the next start of a back end writes it anew.
    return undefined;
  }
}

function isLoopbackAddress(address: string): boolean {
  if (socketPathOf(address) !== undefined) return true;
  if (!URL.canParse(address)) return false;
  const { protocol, hostname, origin } = new URL(address);
  // Anything beside the origin, such as a name and password, is not of ours, and would be shown to people.
  return protocol === 'http:' && isLoopbackHost(hostname) && address === origin;
}

/** Whether a host name or address, IPv6 in brackets, means this machine and can only mean it. */
export function isLoopbackHost(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || (isIPv4(host) && host.startsWith('127.'));
}
