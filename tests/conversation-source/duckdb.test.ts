import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from '@jest/globals';
import { openDuckDbSource } from '@convotel/local';
import { describeConversationSource } from '@convotel/suite';
import { openBackend } from '@convotel/suite';

let folder: string;
let storesWritten = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convotel-duckdb-source-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

describeConversationSource('store of the embedded back end', async (spans) => {
  storesWritten += 1;
  const storePath = join(folder, `${storesWritten}.duckdb`);
  await (await openBackend(storePath, spans)).stop();
  return openDuckDbSource(storePath);
});
