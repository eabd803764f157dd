import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { request as requestSecurely } from 'node:https';
import { isIPv4 } from 'node:net';
import { HttpClient, authorizationFor, shownAddress, socketPathOf } from '@convotel/query/engine';
import { LocalError } from './local-error.ts';
import { fileIdOf, resolveStore } from './store-files.ts';

/** What a running back end writes about itself to a small file beside its store. */
export interface Presence {
  /** Where it answers, such as `http://127.0.0.1:4318` or `unix:/run/convotel.sock`. */
  url: string;
  /** Random, new with every start; `/healthz` returns the same one. */
  instanceId: string;
  pid: number;
  /** Absolute path of the store. A copy of the folder has another one. */
  storePath: string;
  /** Which files may be at that path, by device and inode number: two while one replaces the other. */
  storeFiles: string[];
}

/** Far more than any presence file has. */
const MAX_FILE_BYTES = 65_536;

/** The file beside the store at `storePath` in which a running back end says where it is. */
function presenceFileOf(storePath: string): string {
  return `${storePath}.serve.json`;
}

/**
 * Writes the file atomically, so that no reader sees half of it; only its owner can read it.
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
  // What is there was left by a process that was killed; a folder or a link in its place is not followed.
  await rm(newPath, { force: true });
  const file = await open(newPath, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
  try {
    try {
      await file.writeFile(text);
    } finally {
      await file.close();
    }
    await rename(newPath, path);
  } catch (error) {
    await rm(newPath, { force: true });
    throw error;
  }
}

/**
 * What the file says about the back end that runs on the store at `storePath`; undefined when there is no file that can
 * be trusted: a regular file of the same user that names this store and a loopback address or a socket.
 */
export function readPresence(storePath: string): Presence | undefined {
  let text: string;
  try {
    // Opening a pipe would block until a writer comes, and a link could lead anywhere.
    const noFollow = process.platform === 'win32' ? 0 : constants.O_NOFOLLOW | constants.O_NONBLOCK;
    const file = openSync(presenceFileOf(storePath), constants.O_RDONLY | noFollow);
    try {
      const stats = fstatSync(file);
      const isOwn = process.getuid === undefined || stats.uid === process.getuid();
      if (!stats.isFile() || !isOwn || stats.size > MAX_FILE_BYTES) return undefined;
      text = readFileSync(file, 'utf8');
    } finally {
      closeSync(file);
    }
  } catch {
    // Missing or unreadable: either way it names no back end, and the caller can still try the store itself.
    return undefined;
  }
  const presence = parsePresence(text);
  if (presence === undefined || presence.storePath !== storePath || !isLoopbackAddress(presence.url)) return undefined;
  return presence.storeFiles.includes(fileIdOf(storePath) ?? '') ? presence : undefined;
}

/** Removes the file if it is still that of `instanceId`. */
export async function removePresence(storePath: string, instanceId: string): Promise<void> {
  if (readPresence(storePath)?.instanceId === instanceId) await rm(presenceFileOf(storePath), { force: true });
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
    // Not valid JSON: treated as missing; the next start of a back end rewrites it.
    return undefined;
  }
}

function isLoopbackAddress(address: string): boolean {
  if (socketPathOf(address) !== undefined) return true;
  if (!URL.canParse(address)) return false;
  const { protocol, hostname, origin } = new URL(address);
  // We write nothing but an origin; anything else, such as a name and password, would be displayed.
  return protocol === 'http:' && isLoopbackHost(hostname) && address === origin;
}

/** Whether a host name or address, IPv6 in brackets, means this machine and can only mean it. */
export function isLoopbackHost(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || (isIPv4(host) && host.startsWith('127.'));
}

/** The back end is on the same machine; one that takes longer counts as not running. */
const TIMEOUT_MS = 1_000;
/** Far more than a back end answers; another program may be listening there now. */
const MAX_ANSWER_BYTES = 65_536;
/** Time without a byte after which a back end counts as hung; copying a large store takes a while before the first. */
const SILENCE_MS = 10 * 60_000;

/**
 * The address of the back end that runs on the store at `storePath`; undefined when none does. A file left by a killed
 * one does no harm: the address counts only when it answers with the instance id from the file.
 */
export async function findRunningBackend(storePath: string): Promise<string | undefined> {
  const presence = readPresence(resolveStore(storePath));
  if (presence === undefined) return undefined;
  try {
    const client = new HttpClient(presence.url, { timeoutMs: TIMEOUT_MS, maxAnswerBytes: MAX_ANSWER_BYTES });
    const health = JSON.parse((await client.get('/healthz')).text) as { instanceId?: unknown };
    return health.instanceId === presence.instanceId ? presence.url : undefined;
  } catch {
    // Nothing listens there, or another program does: either way that back end is not running.
    return undefined;
  }
}

/** What a back end is asked to do. */
interface BackendOrder {
  path: string;
  /** Sent as JSON. @defaultValue nothing is sent */
  body?: object | undefined;
  /** Bearer token, used when the address has no name and password. */
  token?: string | undefined;
}

/**
 * Sends a POST to the back end at `address`; the answer may take minutes.
 * @throws when it cannot be reached, or answers with another status than 200; the message says what it answered.
 */
export async function askBackend(address: string, { path, body, token }: BackendOrder): Promise<IncomingMessage> {
  const socketPath = socketPathOf(address);
  const shown = socketPath === undefined ? shownAddress(address) : address;
  const url = new URL(socketPath === undefined ? address : 'http://localhost');
  const text = body === undefined ? '' : JSON.stringify(body);
  const headers = {
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
    ...authorizationFor(url),
    ...(body !== undefined && { 'content-type': 'application/json' }),
    'content-length': Buffer.byteLength(text),
  };
  url.pathname = `${url.pathname.replace(/\/+$/, '')}${path}`;
  url.username = url.password = '';
  const send = url.protocol === 'https:' ? requestSecurely : request;
  const response = await new Promise<IncomingMessage>((answered, reject) => {
    const options = { method: 'POST', timeout: SILENCE_MS, headers, ...(socketPath !== undefined && { socketPath }) };
    const sending = send(url, options, answered);
    sending.once('timeout', () => sending.destroy(new Error(`${shown} did not answer`)));
    sending.once('error', reject);
    sending.end(text);
  });
  if (response.statusCode === 200) return response;
  throw new BackendRefusal(shown, response.statusCode ?? 0, await reasonOf(response));
}

/** The back end answered, but did not do what it was asked to. */
export class BackendRefusal extends Error {
  override readonly name = 'BackendRefusal';
  /** Its address, without credentials. */
  readonly location: string;
  readonly status: number;
  /** In its own words. */
  readonly reason: string;

  constructor(location: string, status: number, reason: string) {
    super(`${location} answered ${status}: ${reason}`);
    this.location = location;
    this.status = status;
    this.reason = reason;
  }
}

async function reasonOf(response: IncomingMessage): Promise<string> {
  const text = await readText(response, 10_000);
  try {
    return (JSON.parse(text) as { message: string }).message;
  } catch {
    return text.slice(0, 200);
  }
}

/** The beginning of a body, at least up to `maxLength`. */
export async function readText(body: IncomingMessage, maxLength: number): Promise<string> {
  let text = '';
  for await (const chunk of body.setEncoding('utf8')) {
    text += String(chunk);
    if (text.length > maxLength) break;
  }
  return text;
}
