import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from '@jest/globals';
import { openDuckDbSource } from '@convotel/local';
import { SpanStore } from '../../src/store/span-store.ts';
import { describeConversationSource } from '../../../../tests/conversation-source/describe-conversation-source.ts';

const SPANS_PER_APPEND = 700;

let folder: string;
let storesMade = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convotel-duckdb-source-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

describeConversationSource('DuckDbSource', async (spans) => {
  storesMade += 1;
  const path = join(folder, `${storesMade}.duckdb`);
  const store = await SpanStore.open(path, { memoryLimitBytes: 256 * 2 ** 20 });
  for (let index = 0; index < spans.length; index += SPANS_PER_APPEND) {
    await store.append(spans.slice(index, index + SPANS_PER_APPEND));
  }
  await store.close();
  return openDuckDbSource(path);
});
