import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Fault } from '../../fault.ts';
import { pause, send, startServe, until, withFolder } from '../serve-process.ts';
import { conversationsIn, stepSpan, traceRequest } from '../spans.ts';

const CONVERSATIONS = 500;
const MS_PER_DAY = 86_400_000;

/** The machine's clock is wrong at the start, and right again. */
export const fault: Fault = {
  name: 'a clock that is a year ahead, a month ahead, and in 1970',
  async run({ measured }) {
    for (const [name, aheadMs] of [
      ['a year ahead', 365 * MS_PER_DAY],
      ['a month ahead', 31 * MS_PER_DAY],
      ['in 1970', -Date.now()],
    ] as const) {
      await withFolder(async (folder) => {
        const storePath = join(folder, 'store.duckdb');
        const clockPath = join(folder, 'clock.mjs');
        writeFileSync(clockPath, `const now = Date.now; Date.now = () => now() + ${aheadMs};`);
        const right = await startServe(storePath);
        const now = Date.now();
        const spans = Array.from({ length: CONVERSATIONS }, (_, index) =>
          stepSpan({ conversationId: `c${index}`, startMs: now - index * 60_000 }),
        );
        await send(`${right.url}/v1/traces`, { body: traceRequest(spans) });
        await right.stop();
        const wrong = await startServe(storePath, [], { nodeWords: ['--import', clockPath] });
        await until(() => wrong.notices().includes('the clock says'));
        // A span of the right time, from another machine.
        const sent = await send(`${wrong.url}/v1/traces`, {
          body: traceRequest([stepSpan({ conversationId: 'from elsewhere', startMs: Date.now() })]),
        });
        await pause(2_000);
        await wrong.stop();
        const left = await conversationsIn(storePath);
        measured({
          name: `${name}: conversations left of ${CONVERSATIONS}`,
          value: [...left].filter((id) => id.startsWith('c')).length,
          atLeast: CONVERSATIONS,
        });
        measured({
          name: `${name}: a span of the right time is kept`,
          value: sent.text === '{}' && left.has('from elsewhere') ? 1 : 0,
          atLeast: 1,
        });
      });
    }
  },
};
