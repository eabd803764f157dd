import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LocalError, startLocalBackend } from '@convotel/local';
import type { LocalBackend } from '@convotel/local';
import { SourceError } from '@convotel/query';
import type { Fault } from '../../fault.ts';
import { send, until, withFolder } from '../serve-process.ts';
import { conversationsIn, stepSpan, traceRequest } from '../spans.ts';

const CONVERSATIONS = 5_000;
/** A DuckDB file begins with three headers of 4 KiB. */
const HEADER_BYTES = 3 * 4_096;
/** As long as convotel makes the blocks of a store. */
const BLOCK_BYTES = 65_536;

/** One bit of a store's file, flipped at a random place of each of its blocks. */
export const fault: Fault = {
  name: 'a file with a flipped bit in one of its blocks',
  async run({ isLong, random, measured }) {
    await withFolder(async (folder) => {
      const now = Date.now();
      const start = (storePath: string, notices: string[] = []): Promise<LocalBackend> =>
        startLocalBackend({ storePath, port: 0, retentionIntervalMs: 50, onNotice: (notice) => notices.push(notice) });
      const made = join(folder, 'made.duckdb');
      const filling = await start(made);
      for (let from = 0; from < CONVERSATIONS; from += 1_000) {
        const spans = Array.from({ length: 1_000 }, (_, index) =>
          stepSpan({ conversationId: `c${from + index}`, startMs: now, textBytes: 300 }),
        );
        await send(`${filling.url}/v1/traces`, { body: traceRequest(spans) });
      }
      await filling.stop();

      const blocks = (readFileSync(made).length - HEADER_BYTES) / BLOCK_BYTES;
      const rounds = blocks * (isLong ? 3 : 1);
      let [refused, unexplained, found, silent, unkept, unreadable, refusedForever] = [0, 0, 0, 0, 0, 0, 0];
      for (let round = 0; round < rounds; round++) {
        const path = join(folder, `copy-${round}.duckdb`);
        copyFileSync(made, path);
        const file = readFileSync(path);
        const block = HEADER_BYTES + (round % blocks) * BLOCK_BYTES;
        file[block + random.whole(0, BLOCK_BYTES - 1)]! ^= 1 << random.whole(0, 7);
        writeFileSync(path, file);
        const notices: string[] = [];
        let backend: LocalBackend;
        try {
          backend = await start(path, notices);
        } catch (error) {
          refused += 1;
          if (!(error instanceof LocalError && error.code === 'STORE_UNREADABLE')) unexplained += 1;
          continue;
        }
        const accepted: string[] = [];
        const post = async (id: string): Promise<boolean> => {
          const body = traceRequest([stepSpan({ conversationId: id, startMs: now })]);
          const isAccepted = (await send(`${backend.url}/v1/traces`, { body })).status === 200;
          if (isAccepted) accepted.push(id);
          return isAccepted;
        };
        // Spans are refused where the damage is in their way; a backup where a part of the spans cannot be read.
        const isInTheWay = !(await post('before'));
        const isFound = (await send(`${backend.url}/api/v1/backup`)).status !== 200;
        if (isFound || isInTheWay) {
          found += 1;
          await until(() => notices.some((notice) => /is kept as|no span was lost/.test(notice)));
        }
        if (!(await post('after'))) refusedForever += 1;
        await backend.stop();
        try {
          const left = await conversationsIn(path);
          if (accepted.includes('after') && !left.has('after')) unkept += 1;
          // What was accepted before the damage was found may be lost with it, which is said too.
          const ids = [...Array.from({ length: CONVERSATIONS }, (_, index) => `c${index}`), ...accepted];
          const isWhole = ids.every((id) => left.has(id));
          if (!isWhole && !notices.some((notice) => /[1-9]\d* spans? (lost|without)/.test(notice))) silent += 1;
        } catch (error) {
          if (!(error instanceof SourceError)) throw error;
          unreadable += 1;
        }
        rmSync(path, { force: true });
      }
      measured({ name: `stores of ${rounds} that do not open`, value: refused });
      measured({ name: 'of those, without saying that the store cannot be read', value: unexplained, atMost: 0 });
      measured({ name: 'damages that a backup or a write finds', value: found, atLeast: 1 });
      measured({ name: 'stores that refuse spans once the damage was mended', value: refusedForever, atMost: 0 });
      measured({ name: 'stores that are no more readable afterwards', value: unreadable, atMost: 0 });
      measured({ name: 'conversations lost without a word, in stores', value: silent, atMost: 0 });
      measured({ name: 'spans accepted once the file was mended, and not kept', value: unkept, atMost: 0 });
    });
  },
};
