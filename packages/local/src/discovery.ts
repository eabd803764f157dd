import { constants } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { request as requestSecurely } from 'node:https';
import { isIPv4 } from 'node:net';
import { resolve } from 'node:path';
import { HttpClient, authorizationFor, shownAddress, socketPathOf } from '@convotel/query/engine';
import { LocalError } from './local-error.ts';
import { fileIdOf } from './store-files.ts';

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

/** It is on the same machine; one that takes longer is not there for practical purposes. */
const TIMEOUT_MS = 1_000;
/** Far more than it answers; whoever listens there now may be somebody else. */
const MAX_ANSWER_BYTES = 65_536;
/** A back end that sends nothing for so long does not answer; making the copy of a large store takes a while first. */
const SILENCE_MS = 10 * 60_000;

/**
 * The address of the back end that runs on the store at `storePath`; undefined where none does. What a killed one left
 * behind does no harm: the address counts only when it answers with the instance id from the file.
 */
export async function findRunningBackend(storePath: string): Promise<string | undefined> {
  const presence = await readPresence(resolve(storePath));
  if (presence === undefined) return undefined;
  try {
    const client = new HttpClient(presence.url, { timeoutMs: TIMEOUT_MS, maxAnswerBytes: MAX_ANSWER_BYTES });
    const health = JSON.parse((await client.get('/healthz')).text) as { instanceId?: unknown };
    return health.instanceId === presence.instanceId ? presence.url : undefined;
  } catch {
    // Nobody there, or somebody else: either way that back end does not run.
    return undefined;
  }
}

/** What a back end is asked to do. */
interface BackendOrder {
  path: string;
  /** Sent as JSON. @defaultValue nothing is sent */
  body?: object | undefined;
  /** Shown where the address has no name and password. */
  token?: string | undefined;
}

/**
 * Asks the back end at `address` by POST to do something, which may take minutes.
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
  throw new BackendRefusal(
    response.statusCode ?? 0,
    `${shown} answered ${response.statusCode}: ${await reasonOf(response)}`,
  );
}

/** A back end has answered, and not done what it was asked. */
export class BackendRefusal extends Error {
  override readonly name = 'BackendRefusal';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
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
