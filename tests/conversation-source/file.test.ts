import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from '@jest/globals';
import { openFileSource } from '@convotel/query';
import type { SpanRecord } from '@convotel/query';
import { describeConversationSource } from './describe-conversation-source.ts';
import { encodeOtlpJson } from './encode-otlp-json.ts';

const SPANS_PER_LINE = 7;

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
  await writeFile(path, linesOf(spans));
  return openFileSource(path);
});

function linesOf(spans: readonly SpanRecord[]): string {
  const lines: string[] = [];
  for (let index = 0; index < spans.length; index += SPANS_PER_LINE) {
    lines.push(`${encodeOtlpJson(spans.slice(index, index + SPANS_PER_LINE))}\n`);
  }
  return lines.join('');
}
