import { join } from 'node:path';
import type { Fault } from '../fault.ts';
import { ask, memoryOf, send, startServe, withFolder } from '../serve-process.ts';
import { stepSpan, traceRequest } from '../spans.ts';

/** A program that puts an id into each step's name; and one conversation that never ends. */
export const fault: Fault = {
  name: 'step names with ids in them, and one conversation of very many steps',
  async run({ isLong, measured }) {
    const names = isLong ? 20_000 : 5_000;
    await withFolder(async (folder) => {
      const serve = await startServe(join(folder, 'store.duckdb'));
      const now = Date.now();
      for (let from = 0; from < names; from += 1_000) {
        const spans = Array.from({ length: 1_000 }, (_, index) =>
          stepSpan({
            conversationId: `c${Math.floor((from + index) / 10)}`,
            startMs: now - 60_000 + from + index,
            step: `tool-${from + index}`,
          }),
        );
        await send(`${serve.url}/v1/traces`, { body: traceRequest(spans) });
      }
      const window = `since=${new Date(now - 86_400_000).toISOString()}&until=${new Date(now + 1_000).toISOString()}`;
      for (const question of ['step-statistics', 'step-durations']) {
        const start = performance.now();
        await ask(serve.url, `/api/v1/${question}?${window}`).catch(() => undefined);
        measured({ name: `${question} over ${names} step names, s`, value: (performance.now() - start) / 1_000 });
        measured({ name: `${question}: peak, MB`, value: memoryOf(serve.child).peakMb });
      }
      await serve.stop('SIGKILL');
    });
    const steps = isLong ? 40_000 : 5_000;
    await withFolder(async (folder) => {
      const serve = await startServe(join(folder, 'store.duckdb'));
      const now = Date.now();
      for (let from = 0; from < steps; from += 1_000) {
        const spans = Array.from({ length: 1_000 }, (_, index) =>
          stepSpan({ conversationId: 'long', startMs: now - 60_000 + from + index }),
        );
        await send(`${serve.url}/v1/traces`, { body: traceRequest(spans) });
      }
      const start = performance.now();
      await ask(serve.url, '/api/v1/conversation?id=long');
      measured({ name: `one conversation of ${steps} steps, read, s`, value: (performance.now() - start) / 1_000 });
      await serve.stop('SIGKILL');
    });
  },
};
