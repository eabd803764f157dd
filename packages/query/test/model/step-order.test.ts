import { describe, expect, test } from '@jest/globals';
import { appendMissingSteps, orderSteps } from '@convotel/query/engine';

/** One conversation whose steps begin a second apart. */
function inOrder(...steps: string[]): Map<string, number> {
  return new Map(steps.map((step, index) => [step, index * 1000]));
}

function at(offsetsMs: Record<string, number>): Map<string, number> {
  return new Map(Object.entries(offsetsMs));
}

describe('the order of steps', () => {
  test('of one conversation is by start', () => {
    expect(orderSteps([at({ tts: 30, stt: 10, gpt: 20 })])).toEqual(['stt', 'gpt', 'tts']);
  });

  test('follows what most conversations do', () => {
    expect(orderSteps([inOrder('b', 'a'), inOrder('a', 'b'), inOrder('a', 'b')])).toEqual(['a', 'b']);
  });

  test('looks only at conversations that have both', () => {
    const conversations = [inOrder('a', 'b'), inOrder('b'), inOrder('b'), inOrder('x', 'y', 'a')];
    // By median offset b (0) would come first.
    expect(orderSteps(conversations)).toEqual(['x', 'y', 'a', 'b']);
  });

  test('falls back on the median first offset where neither beats the other', () => {
    expect(orderSteps([at({ a: 5 }), at({ b: 3 })])).toEqual(['b', 'a']);
    // One each, so neither is earlier in more than half; medians 50 and 30.
    expect(orderSteps([at({ a: 0, b: 50 }), at({ a: 100, b: 10 })])).toEqual(['b', 'a']);
  });

  test('takes the mean of the two middle offsets for the median of an even number', () => {
    // a: 0, 40 → 20. b: 21, 21 → 21.
    expect(orderSteps([at({ b: 21 }), at({ a: 40 }), at({ a: 0 }), at({ b: 21 })])).toEqual(['a', 'b']);
  });

  test('falls back on the name, by code point, where medians are equal', () => {
    const conversation = at({ '\u{10000}': 0, '\uffff': 0, b: 0, a: 0 });
    expect(orderSteps([conversation])).toEqual(['a', 'b', '\uffff', '\u{10000}']);
  });

  test('breaks a circle at the smallest median', () => {
    const circle = [inOrder('a', 'b', 'c'), inOrder('b', 'c', 'a'), inOrder('c', 'a', 'b')];
    expect(orderSteps(circle)).toEqual(['a', 'b', 'c']);
    // Now c has the smallest median: 0, 0, 1000 of c against 0, 1000, 2000.
    expect(orderSteps([...circle.slice(1), at({ c: 0, a: 500 }), at({ a: 900, b: 950 })])[0]).toBe('c');
  });

  test('looks at the steps left, not at those already placed', () => {
    // x and a are even, so the median decides (0 against 500). b is beaten by both, but only while they are left.
    const conversations = [inOrder('x', 'a', 'b', 'c'), inOrder('x', 'b', 'c'), inOrder('a', 'x')];
    expect(orderSteps(conversations)).toEqual(['x', 'a', 'b', 'c']);
  });

  test('of nothing is nothing', () => {
    expect(orderSteps([])).toEqual([]);
    expect(orderSteps([new Map()])).toEqual([]);
  });

  test('reads a conversation as often among 500 as among 50', () => {
    const steps = ['request', 'stt', 'gpt', 'lookup', 'tts', 'response', '__proto__'];
    const readsAmong = (count: number): number => {
      let reads = 0;
      class Counted extends Map<string, number> {
        override [Symbol.iterator](): MapIterator<[string, number]> {
          reads += 1;
          return super[Symbol.iterator]();
        }
        override get(step: string): number | undefined {
          reads += 1;
          return super.get(step);
        }
      }
      const conversations = Array.from({ length: count }, () => new Counted(inOrder(...steps)));
      reads = 0;
      expect(orderSteps(conversations)).toEqual(steps);
      expect(reads).toBeGreaterThan(0);
      return reads / count;
    };
    expect(readsAmong(500)).toBe(readsAmong(50));
  });
});

test('steps that no conversation has come last, by name, each once', () => {
  expect(appendMissingSteps(['b', 'a'], ['z', 'a', 'c', 'z'])).toEqual(['b', 'a', 'c', 'z']);
});
