import { join } from 'node:path';
import type { Fault } from '../../fault.ts';
import { ask, send, startServe, storeBytes, until, withFolder } from '../serve-process.ts';
import { conversationsIn, stepSpan, traceRequest } from '../spans.ts';

const MS_PER_HOUR = 3_600_000;
/** The limit holds within a tenth. */
const MAX_FACTOR = 1.1;

/** A store that is a tenth larger than it may be, of different shapes. */
export const fault: Fault = {
  name: 'a store a tenth above --max-size, and one conversation that is most of it',
  async run({ isLong, measured }) {
    const shapes = [
      { shape: 'few large spans', conversations: 6_000, textBytes: 4_000, longShare: 0 },
      { shape: 'many small spans', conversations: isLong ? 400_000 : 120_000, textBytes: 200, longShare: 0 },
      { shape: 'one conversation of 60 %', conversations: 20_000, textBytes: 1_000, longShare: 0.6 },
      { shape: 'one conversation of 95 %', conversations: 20_000, textBytes: 1_000, longShare: 0.95 },
    ];
    for (const { shape, conversations, textBytes, longShare } of shapes) {
      await withFolder(async (folder) => {
        const storePath = join(folder, 'store.duckdb');
        const filling = await startServe(storePath);
        const now = Date.now();
        let batch: object[] = [];
        for (let index = 0; index < conversations; index++) {
          const isLongOne = (index * 7_919) % 1_000 < longShare * 1_000;
          const startMs = now - 2 * MS_PER_HOUR + (index / conversations) * 1.99 * MS_PER_HOUR;
          const conversationId = isLongOne ? 'long' : `c${index}`;
          batch.push(stepSpan({ conversationId, startMs, textBytes, textOf: 'digits' }));
          if (batch.length === 1_000 || index === conversations - 1) {
            await send(`${filling.url}/v1/traces`, { body: traceRequest(batch) });
            batch = [];
          }
        }
        await filling.stop();
        const before = await conversationsIn(storePath);
        const maxMib = Math.max(8, Math.floor(storeBytes(storePath) / 1.1 / 2 ** 20));
        const due = 1 - (maxMib * 2 ** 20) / storeBytes(storePath);
        const serve = await startServe(storePath, ['--max-size', `${maxMib}MiB`]);
        await until(() => /serve: deleted/.test(serve.notices()));
        // Stopped earlier, it would give up freeing the space.
        await until(() => storeBytes(storePath) <= maxMib * 2 ** 20 * MAX_FACTOR);
        // It looks at the size when spans have arrived: nothing more may go then.
        const usedBytes = async (): Promise<unknown> => (await ask(serve.url, '/healthz'))['usedBytes'];
        for (let look = 0; look < 2; look++) {
          const last = await usedBytes();
          const span = stepSpan({ conversationId: `later${look}`, startMs: Date.now() });
          await send(`${serve.url}/v1/traces`, { body: traceRequest([span]) });
          await until(async () => (await usedBytes()) !== last);
        }
        const health = await ask(serve.url, '/healthz');
        await serve.stop();
        const after = await conversationsIn(storePath);
        const deletedSpans = Number(health['spansDeleted']);
        measured({
          name: `${shape}: share deleted / share due`,
          value: deletedSpans / conversations / due,
          atMost: 1.7,
          atLeast: 0.8,
        });
        measured({ name: `${shape}: deletions`, value: serve.notices().match(/serve: deleted/g)!.length, atMost: 1 });
        measured({
          name: `${shape}: file and log / limit`,
          value: storeBytes(storePath) / (maxMib * 2 ** 20),
          atMost: MAX_FACTOR,
          atLeast: 0.85,
        });
        measured({
          name: `${shape}: % of conversations left`,
          value: (100 * after.size) / before.size,
          atLeast: 75,
        });
        const newest = `c${conversations - 1}`;
        measured({
          name: `${shape}: the newest is there`,
          value: before.has(newest) === after.has(newest) ? 1 : 0,
          atLeast: 1,
        });
      });
    }
  },
};
