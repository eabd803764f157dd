import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { startTracing } from '@convotel/sdk';
import type { Tracing, TracingOptions } from '@convotel/sdk';
import { conversation, startConversation } from '@convotel/tracing';
import { trace } from '@opentelemetry/api';
import { withEnvironment } from '../support/environment.ts';
import { accept, attributesOf, startOtlpReceiver } from '../support/otlp-receiver.ts';
import type { OtlpReceiver } from '../support/otlp-receiver.ts';
import { waitUntil } from '../support/wait-until.ts';

let receiver: OtlpReceiver;
let tracing: Tracing | undefined;
let warnings: string[];
let folder: string;

beforeEach(async () => {
  receiver = await startOtlpReceiver();
  folder = mkdtempSync(join(tmpdir(), 'convotel-sdk-'));
  warnings = [];
});

afterEach(async () => {
  await tracing?.shutdown({ deadlineMs: 100 });
  tracing = undefined;
  await receiver.stop();
  rmSync(folder, { recursive: true, force: true });
});

function start(options: TracingOptions = {}): Tracing {
  tracing = startTracing({
    endpoint: receiver.endpoint,
    metrics: false,
    journal: { folder },
    warn: (message) => void warnings.push(message),
    ...options,
  });
  return tracing;
}

/** Ends so many steps in one go, in a conversation that stays open. */
function endSteps(count: number): void {
  const handle = startConversation();
  for (let index = 0; index < count; index += 1) handle.step('think', () => index);
}

/** A TCP server that does with a connection whatever a test wants. */
async function startPeer(
  connected: (socket: Socket) => void,
): Promise<{ endpoint: string; connections: () => number; stop: () => void }> {
  const sockets = new Set<Socket>();
  let connections = 0;
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    connections += 1;
    // A connection that the other side cuts is what these tests are about.
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    connected(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    connections: () => connections,
    stop: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

describe('what is finished arrives', () => {
  test('10,000 steps that end in one go arrive whole', async () => {
    const { flush } = start();
    endSteps(10_000);
    expect(await flush()).toEqual({ deliveredSpans: 10_000, undeliveredSpans: 0 });
    expect(new Set(receiver.spans().map(({ spanId }) => spanId)).size).toBe(10_000);
  });

  test('a queue of far more than 30 batches arrives whole', async () => {
    await withEnvironment({ OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '20' }, async () => {
      const { flush } = start();
      receiver.answerBy((response) => void setTimeout(accept, 5, response));
      endSteps(2000);
      expect(await flush()).toEqual({ deliveredSpans: 2000, undeliveredSpans: 0 });
    });
    expect(receiver.requests).toHaveLength(100);
  });

  test('flush waits for the batch that is under way', async () => {
    await withEnvironment({ OTEL_BSP_SCHEDULE_DELAY: '10' }, async () => {
      const { flush } = start();
      receiver.answerBy((response) => void setTimeout(accept, 300, response));
      endSteps(1);
      await waitUntil(() => receiver.requests.length > 0);
      expect(await flush()).toEqual({ deliveredSpans: 1, undeliveredSpans: 0 });
    });
  });

  test("a number that is not finite, on a span of the program's own, costs no other span its way", async () => {
    const { flush } = start();
    const span = trace
      .getTracer('own')
      .startSpan('POST', { attributes: { 'app.nan': Number.NaN, 'app.list': [1, Infinity] } });
    span.addEvent('retry', { 'app.wait': Number.POSITIVE_INFINITY, 'app.count': 2 });
    span.setAttribute('app.ok', 1.5).end();
    await flush();
    const [sent] = receiver.spans();
    expect(attributesOf(sent!)).toEqual({ 'app.ok': 1.5 });
    expect(attributesOf(sent!.events[0]!)).toEqual({ 'app.count': 2 });
  });

  test('without a journal, what does not fit into the queue is counted and said once', async () => {
    await withEnvironment({ OTEL_BSP_MAX_QUEUE_SIZE: '100' }, async () => {
      const { flush, report } = start({ journal: false });
      endSteps(1000);
      expect(await flush()).toMatchObject({ deliveredSpans: 100, undeliveredSpans: 900 });
      expect(report()).toMatchObject({ finishedSpans: 1000, waitingSpans: 0, droppedSpans: { memory_full: 900 } });
      expect(warnings).toEqual([expect.stringContaining('too many wait in memory')]);
    });
  });

  test('flush after every conversation is coalesced', async () => {
    const { flush, report } = start();
    receiver.answerBy((response) => void setTimeout(accept, 20, response));
    const flushes: Promise<unknown>[] = [];
    for (let index = 0; index < 300; index += 1) {
      conversation((c) => c.step('think', () => index));
      flushes.push(flush());
      if (index % 20 === 0) await sleep(1);
    }
    await Promise.all(flushes);
    expect(report()).toMatchObject({ deliveredSpans: 600, waitingSpans: 0 });
    expect(receiver.requests.length).toBeLessThan(100);
  });

  test.each(['hangs', 'refuses'])('and keeps everything where the back end %s', async (how) => {
    const peer = await startPeer((socket) => (how === 'refuses' ? socket.destroy() : undefined));
    const { flush, report } = start({ endpoint: peer.endpoint });
    const flushes: Promise<unknown>[] = [];
    for (let index = 0; index < 300; index += 1) {
      conversation((c) => c.step('think', () => index));
      flushes.push(flush({ deadlineMs: 300 }));
      if (index % 20 === 0) await sleep(1);
    }
    await Promise.all(flushes);
    expect(report()).toMatchObject({ finishedSpans: 600, deliveredSpans: 0, waitingSpans: 600, droppedSpans: {} });
    expect(peer.connections()).toBeLessThan(20);
    peer.stop();
  });

  test('partial success is counted with its reason', async () => {
    const { flush, report } = start();
    const partialSuccess = { rejectedSpans: '2', errorMessage: 'two were too old' };
    receiver.answerBy((response) =>
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ partialSuccess })),
    );
    endSteps(5);
    expect(await flush()).toMatchObject({ deliveredSpans: 3, undeliveredSpans: 2 });
    expect(report().droppedSpans).toEqual({ rejected: 2 });
    expect(warnings).toEqual([expect.stringContaining('"two were too old"')]);
  });

  test('what a server says without rejecting anything is said once', async () => {
    receiver.answerBy((response) => {
      response.writeHead(200).end('{"partialSuccess":{"rejectedSpans":"0","errorMessage":"version 1 goes away"}}');
    });
    const { flush, report } = start();
    for (let time = 0; time < 3; time += 1) {
      endSteps(1);
      await flush();
    }
    expect(report()).toMatchObject({ waitingSpans: 0, droppedSpans: {} });
    expect(warnings).toEqual([
      expect.stringContaining('accepted all spans of a request with the message "version 1 goes away"'),
    ]);
  });

  test('a batch that is too large is sent in parts, and a single span that is too large is set aside', async () => {
    const { flush, report } = start();
    receiver.answerBy((response, _path, body) => {
      if (body.length > 3000) response.writeHead(413).end();
      else accept(response);
    });
    const handle = startConversation();
    for (let index = 0; index < 20; index += 1)
      handle.step('think', { attributes: { size: 'x'.repeat(index === 7 ? 4000 : 100) } }, () => index);
    await flush();
    expect(report()).toMatchObject({ deliveredSpans: 19, droppedSpans: { too_large: 1 }, waitingSpans: 0 });
  });

  test('prompts of 128 KB never meet the limit of a common proxy', async () => {
    const { flush, report } = start({ captureContent: 'full' });
    let largest = 0;
    receiver.answerBy((response, _path, body) => {
      largest = Math.max(largest, body.length);
      if (body.length > 1024 * 1024) response.writeHead(413).end();
      else accept(response);
    });
    const handle = startConversation();
    for (let index = 0; index < 40; index += 1) handle.step('think', { input: 'word '.repeat(26_000) }, () => index);
    await flush({ deadlineMs: 30_000 });
    expect(report()).toMatchObject({ deliveredSpans: 40, waitingSpans: 0, droppedSpans: {} });
    expect(largest).toBeGreaterThan(512 * 1024);
    expect(largest).toBeLessThanOrEqual(1024 * 1024);
  });

  test('a span that a server answers 500 to, again and again, does not hold the others', async () => {
    const { flush, report } = start();
    receiver.answerBy((response, _path, body) => {
      if (body.includes('poison')) response.writeHead(500).end();
      else accept(response);
    });
    const handle = startConversation();
    for (let index = 0; index < 30; index += 1)
      handle.step('think', { attributes: { [index === 7 ? 'poison' : 'plain']: true } }, () => index);
    await waitUntil(async () => {
      handle.step('later', () => 1);
      await flush();
      return report().droppedSpans['refused'] !== undefined;
    });
    expect(report()).toMatchObject({ droppedSpans: { refused: 1 } });
    expect(report().deliveredSpans).toBeGreaterThanOrEqual(29);
    expect(warnings).toHaveLength(2);
  });

  test('Retry-After is obeyed, and meanwhile flush and shutdown return at once', async () => {
    const { flush, shutdown } = start();
    receiver.answerBy((response) => response.writeHead(429, { 'retry-after': '600' }).end());
    endSteps(1);
    await flush();
    const requests = receiver.requests.length;
    endSteps(1);
    await flush({ deadlineMs: 600_000 });
    const problem = 'answered 429 "Too Many Requests"';
    expect(await shutdown({ deadlineMs: 600_000 })).toMatchObject({ undeliveredSpans: 4, problem });
    expect(receiver.requests).toHaveLength(requests);
  });
});

describe('when it cannot be delivered', () => {
  test.each([
    [401, 'Check the key in the headers option'],
    [403, 'Check the key in the headers option'],
    [404, 'Check the address in the endpoint option'],
    [307, 'Check the address in the endpoint option'],
  ])('a peer that answers %i is not waited for, and what to do is said: %s', async (status, advice) => {
    receiver.answerBy((response) => response.writeHead(status).end());
    const { shutdown, report } = start();
    endSteps(3);
    // Whoever waited for the deadline would come too late for the test.
    expect(await shutdown({ deadlineMs: 600_000 })).toMatchObject({ deliveredSpans: 0 });
    expect(report()).toMatchObject({ waitingSpans: 4, droppedSpans: {} });
    expect(warnings).toEqual([expect.stringContaining(advice)]);
  });

  test.each([
    [429, 'limits how much it accepts'],
    [503, 'log of the back end'],
  ])('a peer that answers %i and when to come back: %s', async (status, advice) => {
    receiver.answerBy((response) => response.writeHead(status, { 'retry-after': '600' }).end());
    const { shutdown } = start();
    endSteps(3);
    expect(await shutdown({ deadlineMs: 600_000 })).toMatchObject({ deliveredSpans: 0 });
    expect(warnings).toEqual([expect.stringContaining(advice)]);
  });

  test('a peer that refuses connections: shutdown does not wait, and one warning says so', async () => {
    const { shutdown } = start({ endpoint: 'http://127.0.0.1:9', metrics: true });
    endSteps(3);
    const problem = 'connection refused (ECONNREFUSED)';
    // Whoever waited for the deadline would come too late for the test.
    // The three steps, and their conversation, which was open.
    expect(await shutdown({ deadlineMs: 600_000 })).toEqual({ deliveredSpans: 0, undeliveredSpans: 4, problem });
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(/^convotel: spans cannot be delivered to http:\/\/127\.0\.0\.1:9\/v1\/traces: /);
    expect(warnings[0]).toContain('npx convotel serve');
  });

  test('one warning an outage: again only after it worked', async () => {
    const { flush } = start();
    const flushUntil = async (isEnough: () => boolean): Promise<void> => {
      await waitUntil(async () => {
        await flush();
        return isEnough();
      });
    };
    receiver.answerBy((response) => response.writeHead(503).end('bad \u001b[31m span'));
    endSteps(1);
    await flushUntil(() => receiver.requests.length >= 2);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain('answered 503 "bad \\u001b[31m span"');
    receiver.answerBy(accept);
    await flushUntil(() => receiver.spans().length === 1);
    expect(warnings).toHaveLength(1);
    receiver.answerBy((response) => response.writeHead(401).end());
    endSteps(1);
    await flushUntil(() => warnings.length > 1);
    expect(warnings).toHaveLength(2);
    expect(warnings[1]).toContain('answered 401 "Unauthorized"');
  });

  test('metrics that alone cannot be delivered are warned about too', async () => {
    const { shutdown } = start({ metrics: true });
    receiver.answerBy((response, path) => {
      if (path === '/v1/metrics') response.writeHead(404).end();
      else accept(response);
    });
    conversation(() => {});
    await shutdown();
    expect(warnings).toEqual([expect.stringContaining('metrics cannot be delivered')]);
  });

  test.each(['hangs', 'cuts connections'])(
    'shutdown with 50,000 batches waiting settles: a peer that %s',
    async (how) => {
      const peer = await startPeer((socket) => (how === 'hangs' ? undefined : socket.destroy()));
      await withEnvironment({ OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '1' }, async () => {
        const { shutdown, report } = start({ endpoint: peer.endpoint });
        endSteps(50_000);
        expect(await shutdown({ deadlineMs: 500 })).toMatchObject({ deliveredSpans: 0, undeliveredSpans: 50_001 });
        expect(report()).toMatchObject({ waitingSpans: 50_001, droppedSpans: {} });
      });
      peer.stop();
    },
  );

  test('a peer that never answers', async () => {
    const peer = await startPeer(() => {});
    const { shutdown } = start({ endpoint: peer.endpoint });
    endSteps(3);
    expect(await shutdown({ deadlineMs: 200 })).toMatchObject({ undeliveredSpans: 4 });
    peer.stop();
  });

  test('a peer that answers a byte at a time for ever: each export fails in time, and the connection is cut', async () => {
    let isCut = false;
    const peer = await startPeer((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n');
      const timer = setInterval(() => socket.write(' '), 20);
      socket.on('close', () => {
        isCut = true;
        clearInterval(timer);
      });
    });
    await withEnvironment({ OTEL_EXPORTER_OTLP_TIMEOUT: '200' }, async () => {
      const { flush, shutdown } = start({ endpoint: peer.endpoint });
      endSteps(3);
      const report = await flush({ deadlineMs: 4000 });
      expect(report).toMatchObject({
        undeliveredSpans: 3,
        problem: 'no complete answer within 200 ms',
      });
      await shutdown({ deadlineMs: 100 });
    });
    await waitUntil(() => isCut);
    peer.stop();
  });

  test('503 is tried again, and what gets through in time is delivered', async () => {
    const { flush } = start();
    let answers = 0;
    receiver.answerBy((response) => {
      answers += 1;
      if (answers === 1) response.writeHead(503).end();
      else accept(response);
    });
    endSteps(2);
    expect(await flush({ deadlineMs: 20_000 })).toEqual({ deliveredSpans: 2, undeliveredSpans: 0 });
    expect(warnings).toHaveLength(1);
  });
});
