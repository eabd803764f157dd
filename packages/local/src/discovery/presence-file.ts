import { readFile, rename, rm, writeFile } from 'node:fs/promises';

/** What a running back end says of itself in a small file beside its store. */
export interface Presence {
  /** Where it answers, such as `http://127.0.0.1:4318`. */
  url: string;
  /** Random, new with every start; `/healthz` says the same one. */
  instanceId: string;
  pid: number;
}

/** The file beside the store at `storePath` in which a running back end says where it is. */
function presenceFileOf(storePath: string): string {
  return `${storePath}.serve.json`;
}

/** Writes the file whole or not at all, so that nobody reads half of it. */
export async function writePresence(storePath: string, presence: Presence): Promise<void> {
  const path = presenceFileOf(storePath);
  await writeFile(`${path}.new`, `${JSON.stringify(presence)}\n`, { mode: 0o600 });
  await rename(`${path}.new`, path);
}

/** What the file says; undefined where there is none, or none that can be understood. */
export async function findPresence(storePath: string): Promise<Presence | undefined> {
  let text: string;
  try {
    text = await readFile(presenceFileOf(storePath), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const { url, instanceId, pid } = JSON.parse(text) as Partial<Presence>;
    const isWhole = typeof url === 'string' && typeof instanceId === 'string' && typeof pid === 'number';
    return isWhole ? { url, instanceId, pid } : undefined;
  } catch {
    // A file that is no JSON says nothing; the next start of a back end writes it anew.
    return undefined;
  }
}

/** Removes the file if it is still that of `instanceId`. */
export async function removePresence(storePath: string, instanceId: string): Promise<void> {
  if ((await findPresence(storePath))?.instanceId === instanceId) await rm(presenceFileOf(storePath), { force: true });
}
