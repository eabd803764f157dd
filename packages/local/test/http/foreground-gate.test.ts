import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { ForegroundGate } from '../../src/http/foreground-gate.ts';

/** Something that goes first until `end` is called. */
function startFirst(gate: ForegroundGate): { end(): void; over: Promise<void> } {
  let end = (): void => undefined;
  const over = gate.runFirst(() => new Promise<void>((resolve) => (end = resolve)));
  return { end: () => end(), over };
}

/** Whether work that gives way may go on without a timer. */
async function isFree(gate: ForegroundGate): Promise<boolean> {
  let isOver = false;
  void gate.yield().then(() => (isOver = true));
  await Promise.resolve();
  await Promise.resolve();
  return isOver;
}

test('nobody waits where nothing goes first', async () => {
  const gate = new ForegroundGate();
  expect(await isFree(gate)).toBe(true);
  const first = startFirst(gate);
  expect(await isFree(gate)).toBe(false);
  first.end();
  await first.over;
});

test('work that gives way goes on as soon as the last of those before it is over', async () => {
  const gate = new ForegroundGate();
  const order: string[] = [];
  const [short, long] = [startFirst(gate), startFirst(gate)];
  const waiting = gate.yield().then(() => order.push('gave way'));
  short.end();
  await short.over;
  order.push('short');
  long.end();
  await long.over;
  await waiting;
  expect(order).toEqual(['short', 'gave way']);
});

test('a failure gives way too, and stays with whoever asked', async () => {
  const gate = new ForegroundGate();
  await expect(gate.runFirst(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await isFree(gate)).toBe(true);
});

describe('while questions never stop', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  test('work that gives way goes on after 80 ms, for 25 ms, and then waits again', async () => {
    const gate = new ForegroundGate();
    const first = startFirst(gate);
    const waiting = [gate.yield(), gate.yield()];
    await jest.advanceTimersByTimeAsync(79);
    expect(await isFree(gate)).toBe(false);
    await jest.advanceTimersByTimeAsync(1);
    await Promise.all(waiting);
    expect(await isFree(gate)).toBe(true);
    await jest.advanceTimersByTimeAsync(24);
    expect(await isFree(gate)).toBe(true);
    await jest.advanceTimersByTimeAsync(1);
    expect(await isFree(gate)).toBe(false);
    first.end();
    await first.over;
  });

  test('the time waited for several of them counts together', async () => {
    const gate = new ForegroundGate();
    for (let question = 0; question < 3; question++) {
      const first = startFirst(gate);
      const waiting = gate.yield();
      await jest.advanceTimersByTimeAsync(25);
      first.end();
      await first.over;
      await waiting;
    }
    const last = startFirst(gate);
    const waiting = gate.yield();
    await jest.advanceTimersByTimeAsync(5);
    await waiting;
    expect(await isFree(gate)).toBe(true);
    last.end();
    await last.over;
  });

  test('what was done between two of them makes up for the wait', async () => {
    const gate = new ForegroundGate();
    const first = startFirst(gate);
    const waiting = gate.yield();
    await jest.advanceTimersByTimeAsync(75);
    first.end();
    await first.over;
    await waiting;
    for (let piece = 0; piece < 8; piece++) expect(await isFree(gate)).toBe(true);
    const second = startFirst(gate);
    expect(await isFree(gate)).toBe(false);
    await jest.advanceTimersByTimeAsync(79);
    expect(await isFree(gate)).toBe(false);
    second.end();
    await second.over;
  });
});
