import { type IncomingMessage, request } from 'node:http';
import { request as requestSecurely } from 'node:https';
import { resolve } from 'node:path';
import { authorizationFor, HttpClient, shownAddress, socketPathOf } from '@convotel/query/engine';
import { readPresence } from './presence-file.ts';

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
export interface BackendOrder {
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
