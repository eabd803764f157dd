import { conversation } from '@convotel/tracing';
import { trace } from '@opentelemetry/api';
import type { Random } from '../random.ts';

/** Passes `value` everywhere where a value can be passed. Returns how many exceptions reached the program. */
export async function useEverywhere(value: unknown, random: Random): Promise<number> {
  let thrown = 0;
  const attempt = async (work: () => unknown): Promise<void> => {
    try {
      await work();
    } catch (error) {
      if (error !== value) thrown += 1;
    }
  };
  const any = value as never;
  await attempt(() => conversation({ attributes: { value: any } }, (c) => c.step('set', (s) => s.set({ value: any }))));
  await attempt(() => conversation((c) => c.step('input', { input: any }, (s) => s.output(any))));
  await attempt(() => conversation((c) => c.step('usage', (s) => s.usage({ inputTokens: any, outputTokens: any }))));
  await attempt(() => conversation((c) => c.step('throws', () => Promise.reject(any)).catch(() => {})));
  // Spans of other libraries reach the exporter without passing any check of ours.
  await attempt(() => {
    const span = trace.getTracer('other').startSpan(typeof value === 'string' ? value : 'other');
    const inside = span as unknown as { attributes: Record<string, unknown>; name: unknown; startTime: unknown };
    inside.attributes['direct'] = value;
    inside.attributes[typeof value === 'string' ? value : 'key'] = 1;
    span.addEvent('event', { value: any });
    if (random.chance(0.2))
      inside.startTime = random.pick([
        [NaN, 0],
        [-5, 3],
        [1e12, 0],
        [1.5, 2.7],
        [2 ** 53, 1e9],
      ]);
    span.setStatus({ code: 2, message: typeof value === 'string' ? value : 'status' });
    span.end();
  });
  return thrown;
}

/** A value that a program passes by mistake or by malice. */
export function weirdValue(random: Random, depth = 0): unknown {
  const makers: (() => unknown)[] = [
    () =>
      random.pick([NaN, Infinity, -Infinity, -0, 1e300, Number.MAX_VALUE, 2 ** 63, -(2 ** 63), 2 ** 53, 1e21, 5e-324]),
    () => random.pick([10n ** 30n, -1n, 2n ** 63n, 0n]),
    () => random.pick(['\ud800', 'a\udc00b', '\0', '', '\u2028', '"\\\n\t', '😀'.slice(0, 1), '\ufffe', '__proto__']),
    () => 'x'.repeat(random.pick([1, 1000, 70_000, 300_000])),
    () => random.pick([undefined, null, true, false]),
    () => Symbol('s'),
    () => () => 1,
    () => new Date(random.pick([0, NaN, 1e15])),
    () => /re/,
    () => new Error('e', { cause: new Error('c') }),
    () => new Map([[1, 2]]),
    () => new Uint8Array([0, 192, 255, 193, 245]),
    () => Object.create(null) as unknown,
    () => JSON.parse('{"__proto__": {"x": 1}, "constructor": 2}') as unknown,
    () => throwing(),
    () =>
      new Proxy(
        {},
        {
          get: () => {
            throw new Error('proxy');
          },
          ownKeys: () => {
            throw new Error('proxy');
          },
        },
      ),
    () => cyclic(),
    () => deep(10_000),
    () => Array.from({ length: random.whole(0, 50) }, () => (depth > 2 ? 1 : weirdValue(random, depth + 1))),
    () => ({ a: depth > 2 ? 1 : weirdValue(random, depth + 1), b: [1, 'x', null, undefined, NaN] }),
    () => Array(3),
  ];
  return random.pick(makers)();
}

function throwing(): object {
  return Object.defineProperty({ ok: 1 }, 'bad', {
    enumerable: true,
    get: () => {
      throw new Error('getter');
    },
  });
}

function cyclic(): object {
  const cycle: Record<string, unknown> = { name: 'cycle' };
  cycle['self'] = cycle;
  cycle['list'] = [cycle];
  return cycle;
}

function deep(levels: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < levels; level += 1) value = level % 2 === 0 ? [value] : { value };
  return value;
}
