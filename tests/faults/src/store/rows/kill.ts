import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Fault } from '../../fault.ts';
import { pause, send, startServe, until, withFolder } from '../serve-process.ts';
import type { ServeProcess } from '../serve-process.ts';
import { conversationsIn, stepSpan, traceRequest } from '../spans.ts';

const SENDERS = 3;
const SPANS_PER_REQUEST = 100;
/** What comes within this after the moment that is waited for is hit too. */
const MAX_LATER_MS = 300;

/** What `serve` is doing when it is killed. */
const MOMENTS: Readonly<Record<string, (serve: ServeProcess, storePath: string) => boolean>> = {
  'just started': () => true,
  'deleting old conversations': (serve) => serve.notices().includes('deleting what ended first'),
  'rewriting the file': (_serve, storePath) => existsSync(`${storePath}.rewriting`),
  'just rewritten': (serve) => serve.notices().includes('was rewritten'),
};

/** `kill -9` while old conversations are deleted, the file is rewritten, checkpoints are made, and a new store is set up. */
export const fault: Fault = {
  name: 'kill -9 during retention, rewrite, checkpoint and migration',
  async run({ isLong, random, measured }) {
    await withFolder(async (folder) => {
      const storePath = join(folder, 'store.duckdb');
      const kills = isLong ? 40 : 8;
      /** When each acknowledged conversation ended; what ended before the boundary may have been deleted. */
      const acknowledged = new Map<string, number>();
      let [missing, rewrites, deletions] = [0, 0, 0];
      let boundaryMs = 0;
      for (let round = 0; round < kills; round++) {
        // So small that retention and rewrites go on all the time.
        const serve = await startServe(storePath, ['--max-size', '8MiB']);
        let isGone = false;
        const sendUntilGone = async (): Promise<void> => {
          while (!isGone) {
            const startMs = Date.now();
            const ids = Array.from({ length: SPANS_PER_REQUEST }, () => `c${random.next()}`);
            const spans = ids.map((conversationId) => stepSpan({ conversationId, startMs, textBytes: 600 }));
            const { status } = await send(`${serve.url}/v1/traces`, { body: traceRequest(spans) });
            if (status === 0) return;
            if (status === 200) for (const id of ids) acknowledged.set(id, startMs + 5);
          }
        };
        const senders = Array.from({ length: SENDERS }, sendUntilGone);
        const moments = Object.values(MOMENTS);
        const isReached = moments[round % moments.length]!;
        await until(() => isReached(serve, storePath));
        await pause(random.whole(0, MAX_LATER_MS));
        await serve.stop('SIGKILL');
        isGone = true;
        await Promise.all(senders);
        for (const [, end] of serve.notices().matchAll(/deleting what ended first, until (\S+?)(?:\.|\s|$)/g)) {
          // It is said to the minute.
          boundaryMs = Math.max(boundaryMs, Date.parse(end!) + 60_000);
        }
        rewrites += serve.notices().match(/was rewritten/g)?.length ?? 0;
        deletions += serve.notices().match(/serve: deleted/g)?.length ?? 0;
        const left = await conversationsIn(storePath);
        const newest = [...acknowledged].toSorted(([, a], [, b]) => b - a).slice(0, 1_000);
        for (const [id, endMs] of acknowledged) if (endMs > boundaryMs && !left.has(id)) missing += 1;
        // Whatever was deleted, the newest thousand are far above what the limit leaves.
        for (const [id] of newest) if (!left.has(id)) missing += 1;
      }
      measured({
        name: `acknowledged spans missing of ${acknowledged.size}, after ${kills} kills`,
        value: missing,
        atMost: 0,
      });
      measured({ name: 'rewrites that were completed', value: rewrites, atLeast: 1 });
      measured({ name: 'deletions', value: deletions, atLeast: 1 });
    });
  },
};
