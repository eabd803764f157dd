import { expect, test } from '@jest/globals';
import { Precedence } from '../../src/http/precedence.ts';

/** Something that goes first until `end` is called. */
function startFirst(precedence: Precedence): { end(): void; over: Promise<void> } {
  let end = (): void => undefined;
  const over = precedence.goFirst(() => new Promise<void>((resolve) => (end = resolve)));
  return { end: () => end(), over };
}

/** Whether work that gives way may go on without a timer. */
async function isFree(precedence: Precedence): Promise<boolean> {
  let isOver = false;
  void precedence.giveWay().then(() => (isOver = true));
  await Promise.resolve();
  await Promise.resolve();
  return isOver;
}

test('nobody waits where nothing goes first', async () => {
  const precedence = new Precedence();
  expect(await isFree(precedence)).toBe(true);
  const first = startFirst(precedence);
  expect(await isFree(precedence)).toBe(false);
  first.end();
  await first.over;
});

test('work that gives way goes on as soon as the last of those before it is over', async () => {
  const precedence = new Precedence();
  const order: string[] = [];
  const [short, long] = [startFirst(precedence), startFirst(precedence)];
  const waiting = precedence.giveWay().then(() => order.push('gave way'));
  short.end();
  await short.over;
  order.push('short');
  long.end();
  await long.over;
  await waiting;
  expect(order).toEqual(['short', 'gave way']);
});

test('a failure gives way too, and stays with whoever asked', async () => {
  const precedence = new Precedence();
  await expect(precedence.goFirst(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await isFree(precedence)).toBe(true);
});

test('work that gives way goes on after some milliseconds, whatever still runs', async () => {
  const precedence = new Precedence();
  const first = startFirst(precedence);
  const start = performance.now();
  await precedence.giveWay();
  expect(performance.now() - start).toBeGreaterThan(5);
  first.end();
  await first.over;
});
