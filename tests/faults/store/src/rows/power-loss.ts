import { copyFileSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openSpanStore } from '@convotel/local';
import type { Fault } from '../fault.ts';
import { send, startServe, withFolder } from '../serve-process.ts';
import { conversationsIn, stepSpan, traceRequest } from '../spans.ts';

const REQUESTS = 150;

/**
 * What a disk may hold after a loss of power: everything that was synchronised before an answer, and of what was written
 * after it any part, with zeros or old bytes in between.
 */
export const fault: Fault = {
  name: 'power lost at any moment, modelled on the log',
  async run({ isLong, random, measured }) {
    await withFolder(async (folder) => {
      const storePath = join(folder, 'store.duckdb');
      const serve = await startServe(storePath);
      copyFileSync(storePath, join(folder, 'file'));
      /** How long the log was when each request was answered. */
      const lengths: number[] = [];
      for (let index = 0; index < REQUESTS; index++) {
        const span = stepSpan({ conversationId: `c${index}`, startMs: Date.now(), textBytes: random.whole(0, 3_000) });
        await send(`${serve.url}/v1/traces`, { body: traceRequest([span]) });
        lengths.push(statSync(`${storePath}.wal`).size);
      }
      await serve.stop('SIGKILL');
      const log = readFileSync(`${storePath}.wal`);
      const file = readFileSync(storePath);
      const rounds = isLong ? 150 : 30;
      let [missing, refused] = [0, 0];
      for (let round = 0; round < rounds; round++) {
        const answered = random.whole(1, REQUESTS - 1);
        const safe = lengths[answered - 1]!;
        const tail = Buffer.from(log.subarray(safe, Math.min(log.length, safe + random.whole(0, 9_000))));
        // Sectors of what was not synchronised arrive in any order.
        for (let at = 0; at < tail.length; at += 512) {
          if (random.next() < 0.4) tail.fill(0, at, Math.min(tail.length, at + 512));
          else if (random.next() < 0.1)
            for (let index = at; index < Math.min(tail.length, at + 512); index++) tail[index] = random.whole(0, 255);
        }
        const copy = join(folder, `copy-${round}.duckdb`);
        writeFileSync(copy, file);
        writeFileSync(`${copy}.wal`, Buffer.concat([log.subarray(0, safe), tail]));
        try {
          await (await openSpanStore(copy)).close();
          const left = await conversationsIn(copy);
          for (let index = 0; index < answered; index++) if (!left.has(`c${index}`)) missing += 1;
        } catch {
          refused += 1;
        }
        rmSync(copy, { force: true });
      }
      measured({ name: `stores of ${rounds} that do not open`, value: refused, atMost: 0 });
      measured({ name: 'acknowledged spans missing', value: missing, atMost: 0 });
    });
  },
};
