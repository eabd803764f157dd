import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Fault } from '../fault.ts';
import { ask, memoryOf, pause, send, startServe, withFolder } from '../serve-process.ts';
import { stepSpan, traceRequest } from '../spans.ts';

/** More bodies at one time than memory would hold. */
export const fault: Fault = {
  name: '200 bodies of 20 MB at once, and 100 bodies of 20 KB that inflate a thousandfold',
  async run({ measured }) {
    await withFolder(async (folder) => {
      const serve = await startServe(join(folder, 'store.duckdb'));
      const now = Date.now();
      const spans = Array.from({ length: 1_950 }, (_, index) =>
        stepSpan({ conversationId: `c${index}`, startMs: now, textBytes: 10_000 }),
      );
      const large = Buffer.from(traceRequest(spans));
      const bomb = gzipSync(Buffer.alloc(20_000_000, 0x20));
      const post = (body: Uint8Array, headers: Record<string, string> = {}): Promise<number> =>
        send(`${serve.url}/v1/traces`, { body, headers }).then(({ status }) => status);
      const largeStatuses = await Promise.all(Array.from({ length: 200 }, () => post(large)));
      measured({ name: 'peak after the large ones, MB', value: memoryOf(serve.child).peakMb, atMost: 600 });
      measured({ name: 'large ones kept', value: largeStatuses.filter((status) => status === 200).length, atLeast: 1 });
      measured({
        name: 'large ones answered otherwise than 200, 408, 503',
        value: largeStatuses.filter((status) => ![0, 200, 408, 503].includes(status)).length,
        atMost: 0,
      });
      await Promise.all(Array.from({ length: 100 }, () => post(bomb, { 'content-encoding': 'gzip' })));
      measured({ name: 'peak after the bombs, MB', value: memoryOf(serve.child).peakMb, atMost: 600 });
      while (Number((await ask(serve.url, '/healthz'))['requestBytes']) > 0) await pause(20);
      measured({
        name: 'a small one afterwards',
        value: await post(Buffer.from(traceRequest(spans.slice(0, 1)))),
        atLeast: 200,
        atMost: 200,
      });
      await serve.stop();
    });
  },
};
