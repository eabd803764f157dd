import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ServeSource } from '@convotel/query';
import { startServe } from '../../../packages/cli/test/processes/run-convotel.ts';

/** A `convotel serve` of a test's own. */
export interface SecondBackEnd {
  url: string;
  stop(): Promise<void>;
}

/** Starts `convotel serve` with a store in a temporary folder. */
export async function startSecondBackEnd(): Promise<SecondBackEnd> {
  const folder = await mkdtemp(join(tmpdir(), 'convotel-second-'));
  const serving = await startServe(join(folder, 'conversations.duckdb'));
  return {
    url: serving.url,
    stop: async () => {
      await serving.end('SIGTERM');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** How many spans a running `convotel serve` has of those that start in the window, copies once. */
export async function countServedSpans(url: string, sinceUnixMs: number, untilUnixMs: number): Promise<number> {
  const source = new ServeSource(url);
  const window = { sinceUnixNano: BigInt(sinceUnixMs) * 1_000_000n, untilUnixNano: BigInt(untilUnixMs) * 1_000_000n };
  const { coverage } = await source.ask({ name: 'conversation-counts', window, by: 'hourOfDay', timeZone: 'UTC' });
  return coverage.spans;
}
