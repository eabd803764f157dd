import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from '@jest/globals';
import { openFileSource } from '@convotel/query';
import { encodeRequests } from '@convotel/suite';
import { describeConversationSource } from '@convotel/suite';

let folder: string;
let filesWritten = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convotel-file-source-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

describeConversationSource('file of OTLP/JSON lines', async (spans) => {
  filesWritten += 1;
  const path = join(folder, `${filesWritten}.jsonl`);
  await writeFile(path, encodeRequests(spans).join('\n'));
  return openFileSource(path);
});
