import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from '@jest/globals';
import type { LocalBackend } from '@convotel/local';
import { ServeSource } from '@convotel/query';
import { describeConversationSource } from '@convotel/suite';
import { openBackend } from '@convotel/suite';

let folder: string;
const backends: LocalBackend[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convotel-serve-source-'));
});
afterAll(async () => {
  for (const backend of backends) await backend.stop();
  await rm(folder, { recursive: true });
});

describeConversationSource('running convotel serve', async (spans) => {
  const backend = await openBackend(join(folder, `${backends.length}.duckdb`), spans);
  backends.push(backend);
  return new ServeSource(backend.url);
});
