import { join } from 'node:path';
import type { Fault } from '../../fault.ts';
import { ask, memoryOf, pause, send, startServe, storeBytes, withFolder } from '../serve-process.ts';
import { conversationsIn, stepSpan, traceRequest } from '../spans.ts';

const SPANS_PER_SECOND = 5_000;
const SPANS_PER_REQUEST = 500;
/** A short run reaches a small limit only, which is less than a minute of spans. */
const [SHORT_MAX_MIB, LONG_MAX_MIB] = [16, 256];
/** What is kept of what was acknowledged; the rest has been deleted long since. */
const REMEMBERED = 100_000;

/** Hours in one: spans without a pause, questions, retention and rewrites at the same time. */
export const fault: Fault = {
  name: '5,000 spans/s with questions, retention and rewrites running',
  async run({ isLong, measured }) {
    const maxMib = isLong ? LONG_MAX_MIB : SHORT_MAX_MIB;
    const minutes = Number(process.env['CONVOTEL_SOAK_MINUTES'] ?? (isLong ? 60 : 1));
    await withFolder(async (folder) => {
      const storePath = join(folder, 'store.duckdb');
      const serve = await startServe(storePath, ['--max-size', `${maxMib}MiB`]);
      const endMs = Date.now() + minutes * 60_000;
      let acknowledged: string[] = [];
      let [sent, refused, number, questions, slowestMs, mostUsed, longest] = [0, 0, 0, 0, 0, 0, 0];
      const memory: number[] = [];
      const sender = async (): Promise<void> => {
        let nextMs = Date.now();
        while (Date.now() < endMs) {
          const ids = Array.from({ length: SPANS_PER_REQUEST }, () => `c${number++}`);
          const spans = ids.map((conversationId) => stepSpan({ conversationId, startMs: Date.now(), textBytes: 60 }));
          const { status } = await send(`${serve.url}/v1/traces`, { body: traceRequest(spans) });
          if (status === 200) {
            sent += spans.length;
            acknowledged.push(...ids);
            if (acknowledged.length > 2 * REMEMBERED) acknowledged = acknowledged.slice(-REMEMBERED);
          } else {
            refused += spans.length;
          }
          nextMs += (SPANS_PER_REQUEST / SPANS_PER_SECOND) * 1_000;
          await pause(Math.max(0, nextMs - Date.now()));
        }
      };
      const asker = async (): Promise<void> => {
        while (Date.now() < endMs) {
          const start = performance.now();
          await ask(serve.url, '/api/v1/conversations?order=newest&limit=10');
          slowestMs = Math.max(slowestMs, performance.now() - start);
          questions += 1;
          const { usedBytes } = await ask(serve.url, '/healthz');
          mostUsed = Math.max(mostUsed, Number(usedBytes));
          longest = Math.max(longest, storeBytes(storePath));
          await pause(100);
        }
      };
      const watcher = async (): Promise<void> => {
        while (Date.now() < endMs) {
          memory.push(memoryOf(serve.child).nowMb);
          await pause(1_000);
        }
      };
      await Promise.all([sender(), asker(), watcher()]);
      const { peakMb } = memoryOf(serve.child);
      await serve.stop();
      const left = await conversationsIn(storePath);
      // The newest fill a part of the limit that retention never reaches.
      const newest = acknowledged.slice(isLong ? -REMEMBERED : -REMEMBERED / 4);
      const third = Math.ceil(memory.length / 3);
      const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
      measured({
        name: `spans acknowledged in ${minutes} min`,
        value: sent,
        atLeast: minutes * 60 * SPANS_PER_SECOND * (isLong ? 0.5 : 0.1),
      });
      measured({ name: 'spans refused', value: refused, atMost: 0 });
      measured({
        name: `of the newest ${newest.length}, missing`,
        value: newest.filter((id) => !left.has(id)).length,
        atMost: 0,
      });
      measured({
        name: 'in use / limit, at most',
        value: mostUsed / (maxMib * 2 ** 20),
        // What arrives while a busy machine makes space is a large part of a small store.
        atMost: isLong ? 1.1 : 1.5,
      });
      measured({ name: 'file and log / limit, at most', value: longest / (maxMib * 2 ** 20) });
      measured({
        name: 'memory, last third / middle third',
        value: mean(memory.slice(-third)) / mean(memory.slice(third, 2 * third)),
        atMost: isLong ? 1.15 : 1.5,
      });
      measured({ name: 'peak memory, MB', value: peakMb, atMost: 600 });
      measured({ name: `slowest of ${questions} questions, ms`, value: slowestMs });
      measured({ name: 'deletions', value: serve.notices().match(/serve: deleted/g)?.length ?? 0 });
      measured({
        name: 'failures of upkeep',
        value: serve.notices().match(/the upkeep of the store failed/g)?.length ?? 0,
        atMost: 0,
      });
      measured({ name: 'rewrites', value: serve.notices().match(/was rewritten/g)?.length ?? 0 });
    });
  },
};
