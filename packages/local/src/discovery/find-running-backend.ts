import { resolve } from 'node:path';
import { HttpClient } from '@convotel/query/engine';
import { readPresence } from './presence-file.ts';

/** It is on the same machine; one that takes longer is not there for practical purposes. */
const TIMEOUT_MS = 1_000;
/** Far more than it answers; whoever listens there now may be somebody else. */
const MAX_ANSWER_BYTES = 65_536;

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
