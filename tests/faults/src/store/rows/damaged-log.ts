import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openSpanStore } from '@convotel/local';
import type { Fault } from '../../fault.ts';
import type { Random } from '../../random.ts';
import { send, startServe, withFolder } from '../serve-process.ts';
import { conversationsIn, stepSpan, traceRequest } from '../spans.ts';

const IN_FILE = 1_000;
const IN_LOG = 200;

/** Changes a log from `at` on. */
const DAMAGES: Readonly<Record<string, (log: Buffer, at: number, random: Random) => Buffer>> = {
  'a bit flipped': (log, at, random) => {
    log[at]! ^= 1 << random.whole(0, 7);
    return log;
  },
  'the tail zeroed': (log, at) => log.fill(0, at),
  'the tail garbled': (log, at, random) => {
    for (let index = at; index < log.length; index++) log[index] = random.whole(0, 255);
    return log;
  },
};

/** The log of a store after a kill, damaged at random places. */
export const fault: Fault = {
  name: 'a log with flipped bits, zeroed and garbled tails',
  async run({ isLong, random, measured }) {
    await withFolder(async (folder) => {
      const storePath = join(folder, 'store.duckdb');
      const now = Date.now();
      const one = (id: string): string => traceRequest([stepSpan({ conversationId: id, startMs: now })]);
      const filling = await startServe(storePath);
      const old = Array.from({ length: IN_FILE }, (_, index) =>
        stepSpan({ conversationId: `old-${index}`, startMs: now }),
      );
      await send(`${filling.url}/v1/traces`, { body: traceRequest(old) });
      await filling.stop();
      const killed = await startServe(storePath);
      for (let index = 0; index < IN_LOG; index++) await send(`${killed.url}/v1/traces`, { body: one(`new-${index}`) });
      await killed.stop('SIGKILL');
      rmSync(`${storePath}.serve.json`, { force: true });

      const rounds = isLong ? 100 : 20;
      for (const [name, damage] of Object.entries(DAMAGES)) {
        let [refused, silent, lostBefore, readable, before] = [0, 0, 0, 0, 0];
        for (let round = 0; round < rounds; round++) {
          const copy = join(folder, `copy-${round}.duckdb`);
          copyFileSync(storePath, copy);
          const log = readFileSync(`${storePath}.wal`);
          const at = random.whole(0, log.length - 1);
          before += (at / log.length) * IN_LOG;
          writeFileSync(`${copy}.wal`, damage(log, at, random));
          const notices: string[] = [];
          try {
            await (await openSpanStore(copy, { onNotice: (notice) => notices.push(notice) })).close();
            const left = await conversationsIn(copy);
            if ([...left].filter((id) => id.startsWith('old')).length < IN_FILE) lostBefore += 1;
            const fresh = [...left].filter((id) => id.startsWith('new')).length;
            readable += fresh;
            if (fresh < IN_LOG && !notices.some((notice) => notice.includes('was damaged'))) silent += 1;
          } catch {
            refused += 1;
          }
          rmSync(copy, { force: true });
        }
        measured({ name: `${name}: stores of ${rounds} that do not open`, value: refused, atMost: 0 });
        measured({ name: `${name}: stores without what was in the file`, value: lostBefore, atMost: 0 });
        measured({ name: `${name}: losses without a word`, value: silent, atMost: 0 });
        measured({
          name: `${name}: % readable of the spans that the log holds before the damage`,
          value: (100 * readable) / before,
          atLeast: 97,
        });
      }
    });
  },
};
