import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { expect, test } from '@jest/globals';
import { highErrorRate, MemorySource, QueryError, ServeSource, SourceError, watch, watchOnce } from '@convotel/query';
import { decodeQuestion, encodeAnswer } from '@convotel/query/engine';
import type { Alert, AlertRule, Evidence } from '@convotel/query';
import { findFreePort } from '../../../../tests/stack/src/free-ports.ts';
import { exampleConversations } from '../answers/example-conversations.ts';

const clock = (): Date => new Date('2025-10-08T14:45:00Z');
const source = new MemorySource([]);

function alertOf(rule: string, evidence: Evidence = {}, text = rule): Alert {
  return { rule, severity: 'warning', text, evidence, time: '2025-10-08T14:45:00.000000Z' };
}

/** A rule that says in each round what `rounds` has for it, and nothing after the last. */
function scripted(...rounds: Alert[][]): AlertRule & { checked: number } {
  const rule = {
    name: 'scripted',
    checked: 0,
    check: async (): Promise<Alert[]> => rounds[rule.checked++] ?? [],
  };
  return rule;
}

async function take(alerts: AsyncIterable<Alert>, count: number): Promise<Alert[]> {
  const taken: Alert[] = [];
  for await (const alert of alerts) {
    taken.push(alert);
    if (taken.length === count) break;
  }
  return taken;
}

test('looks at the window that ends now, again and again, and tells a lasting condition each round', async () => {
  const alerts = await take(watch(exampleConversations(), [highErrorRate()], { intervalMs: 1, clock }), 3);
  const again = 'HIGH ERROR RATE: gpt at 25.0%';
  expect(alerts.map(({ text }) => text)).toEqual([again, again, again]);
  const earlier = (): Date => new Date('2025-10-08T13:00:00Z');
  expect(await watchOnce(exampleConversations(), [highErrorRate()], { clock: earlier })).toEqual([]);
  const minutes = { clock, windowMs: 60_000 };
  expect(await watchOnce(exampleConversations(), [highErrorRate()], minutes)).toEqual([]);
});

test('without repeat, a condition is told when it begins and when it is over', async () => {
  const at = (step: string, pct: number): Alert => alertOf('rate', { step, pct }, `${step} at ${pct}`);
  const rule = scripted([at('gpt', 10)], [at('gpt', 20), at('stt', 5)], [at('stt', 6)], []);
  const alerts = await take(watch(source, [rule], { intervalMs: 1, clock, repeat: false }), 4);
  expect(alerts.map(({ severity, text }) => [severity, text])).toEqual([
    ['warning', 'gpt at 10'],
    ['warning', 'stt at 5'],
    ['good', 'OVER: gpt at 20'],
    ['good', 'OVER: stt at 6'],
  ]);
});

test('two rules of one name are two conditions', async () => {
  const rules = [
    scripted([alertOf('slow-step', { step: 'gpt' }, 'P50')]),
    scripted([], [alertOf('slow-step', { step: 'gpt' }, 'P95')]),
  ];
  const alerts = await take(watch(source, rules, { intervalMs: 1, clock, repeat: false }), 3);
  expect(alerts.map(({ text }) => text)).toEqual(['P50', 'P95', 'OVER: P50']);
});

test('an abort during the pause ends the watch at once, without an error', async () => {
  const stop = new AbortController();
  const rule: AlertRule = {
    name: 'quiet',
    check: async () => {
      // By then the watch has taken the answer and pauses, for five minutes if nothing ended it.
      setImmediate(() => stop.abort());
      return [];
    },
  };
  expect(await take(watch(source, [rule], { signal: stop.signal, clock }), 1)).toEqual([]);
});

test('an abort while a back end is silent ends the watch at once', async () => {
  const stop = new AbortController();
  const rule: AlertRule = {
    name: 'never',
    check: () => {
      setImmediate(() => stop.abort());
      return new Promise(() => {});
    },
  };
  expect(await take(watch(source, [rule], { signal: stop.signal, clock }), 1)).toEqual([]);
});

test('what a question comes to after the abort bothers nobody', async () => {
  const stop = new AbortController();
  let fail: (error: Error) => void = () => undefined;
  const rule: AlertRule = {
    name: 'late',
    check: () => {
      setImmediate(() => stop.abort());
      return new Promise((_resolve, reject) => (fail = reject));
    },
  };
  expect(await take(watch(source, [rule], { signal: stop.signal, clock }), 1)).toEqual([]);
  fail(new Error('too late'));
  // An unhandled rejection would end the test run here.
  await new Promise((resolve) => setImmediate(resolve));
});

test('a signal that was aborted before asks nothing', async () => {
  const rule = scripted([alertOf('never seen')]);
  expect(await take(watch(source, [rule], { signal: AbortSignal.abort(), clock }), 1)).toEqual([]);
  expect(rule.checked).toBe(0);
});

test.each([
  ['first', ['first']],
  ['second', ['first', 'second']],
])('an abort on taking the %s alert of a round ends the watch there', async (last, taken) => {
  const stop = new AbortController();
  const seen: string[] = [];
  const rule = scripted([alertOf('first'), alertOf('second')]);
  for await (const alert of watch(source, [rule], { signal: stop.signal, clock })) {
    seen.push(alert.rule);
    if (alert.rule === last) stop.abort();
  }
  expect(seen).toEqual(taken);
});

test('leaving the loop leaves no timer behind, also when the next alert is already waited for', async () => {
  const timers = (): number => process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length;
  const before = timers();
  await take(watch(exampleConversations(), [highErrorRate()], { clock }), 1);
  expect(timers()).toBe(before);

  const alerts = watch(source, [], { clock })[Symbol.asyncIterator]();
  const waiting = alerts.next();
  await new Promise((resolve) => setImmediate(resolve));
  expect(timers()).toBe(before + 1);
  await alerts.return!();
  expect(await waiting).toEqual({ done: true, value: undefined });
  expect(timers()).toBe(before);
});

test('rounds do not overlap, however long one takes and however slowly alerts are taken', async () => {
  let running = 0;
  let most = 0;
  const rule: AlertRule = {
    name: 'long',
    check: async () => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, 15));
      running -= 1;
      return [alertOf('long')];
    },
  };
  let taken = 0;
  for await (const alert of watch(source, [rule], { intervalMs: 1, clock })) {
    expect(alert.rule).toBe('long');
    await new Promise((resolve) => setTimeout(resolve, 15));
    if (++taken === 3) break;
  }
  expect(most).toBe(1);
});

test('an error that is not of the back end ends the watch', async () => {
  const broken = new TypeError('a rule with a bug');
  const rule: AlertRule = { name: 'broken', check: () => Promise.reject(broken) };
  await expect(take(watch(source, [rule], { clock }), 1)).rejects.toBe(broken);
});

/** A back end that answers about the example's conversations over HTTP. */
async function open(port: number): Promise<Server> {
  const memory = exampleConversations();
  const server = createServer((request, response) => {
    const question = decodeQuestion(new URL(request.url!, 'http://localhost'));
    void memory
      .ask(question)
      .then((answer) =>
        response.writeHead(200, { 'content-type': 'application/json' }).end(encodeAnswer(question, answer)),
      );
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return server;
}

async function shut(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}

test('outlives a back end that goes away, and tells both once', async () => {
  const port = await findFreePort();
  let server = await open(port);
  const location = `http://127.0.0.1:${port}`;
  const told: string[] = [];
  let checkedWhenLost = Infinity;
  // Opens the back end again when it has been asked three times in vain.
  const counting: AlertRule & { checked: number } = {
    name: 'counting',
    checked: 0,
    check: async () => {
      counting.checked += 1;
      if (counting.checked === checkedWhenLost + 3) server = await open(port);
      return [];
    },
  };
  for await (const alert of watch(new ServeSource(location), [counting, highErrorRate()], { intervalMs: 10, clock })) {
    if (told.at(-1) !== alert.rule) told.push(alert.rule);
    if (told.length === 1) await shut(server);
    if (alert.rule === 'back-end-unreachable') {
      expect(alert).toMatchObject({ severity: 'problem', evidence: { location, code: 'UNREACHABLE' } });
      expect(told).toHaveLength(2);
      checkedWhenLost = counting.checked;
    }
    if (alert.rule === 'back-end-answers-again') {
      expect(alert).toMatchObject({ severity: 'good', text: `BACK END ANSWERS AGAIN: ${location}` });
    }
    if (told.length === 4) break;
  }
  await shut(server);
  expect(told).toEqual(['high-error-rate', 'back-end-unreachable', 'back-end-answers-again', 'high-error-rate']);
});

test('one round rejects when the back end cannot be reached', async () => {
  const port = await findFreePort();
  const server = await open(port);
  const nobody = new ServeSource(`http://127.0.0.1:${port}`);
  await shut(server);
  await expect(watchOnce(nobody, [highErrorRate()], { clock })).rejects.toThrow(SourceError);
});

test.each<[string, () => unknown]>([
  ['intervalMs', () => watch(source, [], { intervalMs: 0 })],
  ['intervalMs', () => watch(source, [], { intervalMs: 2 ** 31 })],
  ['windowMs', () => watch(source, [], { windowMs: Number.NaN })],
])('%s is checked at the door (case %#)', (option, make) => {
  expect(make).toThrow(QueryError);
  expect(make).toThrow(new RegExp(`^${option} `));
});
