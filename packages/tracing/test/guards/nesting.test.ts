import { describe, expect, test } from '@jest/globals';
import { runProgram } from '../support/run-program.ts';

/** Runs in a process of its own, whose stack and heap are its own too, from the built packages. */
const SETUP = `
  import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
  import { conversation, startConversation, step, wrapStep } from '@convotel/tracing';
  const seen = { started: 0, ended: 0, outcomes: {}, depth: 0 };
  new NodeTracerProvider({ spanProcessors: [{
    onStart() { seen.started += 1; },
    onEnd({ attributes }) {
      seen.ended += 1;
      seen.outcomes[attributes['conversation.outcome']] = (seen.outcomes[attributes['conversation.outcome']] ?? 0) + 1;
      seen.depth = Math.max(seen.depth, attributes['conversation.step.depth'] ?? 0);
    },
    async forceFlush() {}, async shutdown() {},
  }] }).register();
  const plain = { step: (name, run) => run({}) };
  // The depth that a program reaches whose steps call one another.
  function depthOf(c) {
    let depth = 0;
    const deeper = () => { depth += 1; c.step('agent', () => deeper()); };
    try { deeper(); } catch (error) { if (error.name !== 'RangeError') throw error; }
    return depth;
  }
`;

describe('steps that call one another on one stack', () => {
  test('get at least half as deep as without tracing, and all of them end', async () => {
    const { plain, method, free, open, deepest } = await runProgram(`${SETUP}
      const result = { plain: depthOf(plain) };
      conversation((c) => { result.method = depthOf(c); });
      conversation(() => { result.free = depthOf({ step }); });
      await new Promise((resolve) => setTimeout(resolve, 1));
      console.log(JSON.stringify({ ...result, open: seen.started - seen.ended, deepest: seen.depth }));
    `);
    expect(method).toBeGreaterThanOrEqual(plain / 2);
    expect(free).toBeGreaterThanOrEqual(plain / 2);
    expect(open).toBe(0);
    expect(deepest).toBeGreaterThan(plain / 3);
  });

  test('belong to one another at any depth', async () => {
    const { depths } = await runProgram(`${SETUP}
      const { trace, context } = await import('@opentelemetry/api');
      let depths = [];
      conversation((c) => {
        const nest = (left) => c.step('agent', async (each) => {
          depths.push(Number(each.carrier()['convotel-depth']));
          if (left > 0) nest(left - 1);
        });
        nest(400);
      });
      console.log(JSON.stringify({ depths }));
    `);
    expect(depths).toEqual(Array.from({ length: 401 }, (_, index) => index + 1));
  });
});

test('where the stack ends, a function that was called has its result come through, and is called once', async () => {
  const { failures, done, open } = await runProgram(`${SETUP}
    let calls = 0;
    const work = () => { calls += 1; return 'done'; };
    const failures = []; let done = 0;
    // Goes down to the end of the stack, and tries the door again and again on the way up, until it opens.
    function atTheEnd(door) {
      let isOpen = false;
      const down = () => {
        try { down(); } catch (error) {
          if (isOpen) throw error;
          calls = 0;
          let value;
          try { value = door(); } catch (thrown) {
            if (calls > 0) failures.push('called, and threw ' + thrown.message);
            throw error;
          }
          isOpen = true;
          if (value === 'done' && calls === 1) done += 1;
          else failures.push(value + ' after ' + calls + ' calls');
        }
      };
      try { down(); } catch {}
    }
    await conversation(async (c) => {
      const handle = c.startStep('x');
      const doors = [
        () => c.step('x', work),
        () => c.step('x', { attempt: 2 }, work),
        () => step('x', work),
        wrapStep('x', work),
        c.bind(work),
        handle.bind(work),
      ];
      for (const door of doors) for (let round = 0; round < 50; round += 1) atTheEnd(door);
      c.step('last', work);
      handle.end();
    });
    await new Promise((resolve) => setTimeout(resolve, 1));
    console.log(JSON.stringify({ failures, done, open: seen.started - seen.ended }));
  `);
  expect(failures).toEqual([]);
  expect(done).toBe(300);
  expect(open).toBe(0);
});

test.each([
  ['step', `const turn = (next) => step('tts', next);`],
  ['conversation', `const turn = (next) => conversation({ workflow: 'voice' }, (c) => c.step('tts', next));`],
  [
    'handle',
    `const turn = (next) => { const c = startConversation(); c.run(() => { c.step('tts', () => setImmediate(() => c.end())); next(); }); };`,
  ],
])('turns that each start in a callback of the one before take no memory: %s', async (_name, turn) => {
  const { heaps, error } = await runProgram(
    `${SETUP}
      ${turn}
      let turns = 0; let error; const heaps = [];
      await new Promise((over) => conversation(() => {
        const next = () => {
          turns += 1;
          if (turns % 20_000 === 0) { gc(); heaps.push(process.memoryUsage().heapUsed); }
          if (turns === 100_000) return over();
          setImmediate(() => { try { turn(next); } catch (thrown) { error = String(thrown); over(); } });
        };
        turn(next);
      }));
      console.log(JSON.stringify({ heaps, error }));
    `,
    ['--expose-gc'],
  );
  expect(error).toBeUndefined();
  expect(heaps).toHaveLength(5);
  // A context that holds the one before it takes 200 bytes and more a turn: 12 MB over these.
  expect(heaps[4] - heaps[1]).toBeLessThan(1_000_000);
});
