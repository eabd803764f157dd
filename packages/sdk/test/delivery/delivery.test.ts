import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { startTracing } from '@convotel/sdk';
import type { Tracing, TracingOptions } from '@convotel/sdk';
import { conversation, startConversation } from '@convotel/tracing';
import { trace } from '@opentelemetry/api';
import { withEnvironment } from '../support/environment.ts';
import { accept, attributesOf, startOtlpReceiver } from '../support/otlp-receiver.ts';
import type { OtlpReceiver } from '../support/otlp-receiver.ts';

let receiver: OtlpReceiver;
let tracing: Tracing | undefined;
let warnings: string[];

beforeEach(async () => {
  receiver = await startOtlpReceiver();
  warnings = [];
});

afterEach(async () => {
  await tracing?.shutdown({ deadlineMs: 100 });
  tracing = undefined;
  await receiver.stop();
});

function start(options: TracingOptions = {}): Tracing {
  tracing = startTracing({
    endpoint: receiver.endpoint,
    metrics: false,
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
async function startPeer(connected: (socket: Socket) => void): Promise<{ endpoint: string; stop: () => void }> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    // A connection that the other side cuts is what these tests are about.
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    connected(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await work();
  return performance.now() - startMs;
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
      while (receiver.requests.length === 0) await sleep(10);
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

  test('what does not fit into the queue is told as undelivered', async () => {
    await withEnvironment({ OTEL_BSP_MAX_QUEUE_SIZE: '100', OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '100' }, async () => {
      const { flush } = start();
      endSteps(1000);
      const { deliveredSpans, undeliveredSpans } = await flush();
      expect(deliveredSpans).toBeGreaterThanOrEqual(100);
      expect(undeliveredSpans).toBeGreaterThan(0);
      expect(deliveredSpans + undeliveredSpans).toBe(1000);
    });
  });
});

describe('when it cannot be delivered', () => {
  test('a peer that refuses connections: shutdown settles by the deadline, and one warning says so', async () => {
    const { shutdown } = start({ endpoint: 'http://127.0.0.1:9', metrics: true });
    endSteps(3);
    const takenMs = await timeOf(async () => {
      // The three steps, and their conversation, which was open.
      expect(await shutdown({ deadlineMs: 300 })).toMatchObject({ deliveredSpans: 0, undeliveredSpans: 4 });
    });
    expect(takenMs).toBeGreaterThanOrEqual(295);
    expect(takenMs).toBeLessThan(1500);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(/^convotel: spans cannot be delivered to http:\/\/127\.0\.0\.1:9\/v1\/traces: /);
    expect(warnings[0]).toContain('npx convotel serve');
  });

  test('the reason is told: nobody listens', async () => {
    await withEnvironment({ OTEL_EXPORTER_OTLP_TIMEOUT: '500' }, async () => {
      const { flush } = start({ endpoint: 'http://127.0.0.1:9' });
      endSteps(1);
      expect(await flush()).toMatchObject({ undeliveredSpans: 1, problem: 'nobody listens there (ECONNREFUSED)' });
    });
  });

  test('one warning an outage: again only after it worked', async () => {
    const { flush } = start();
    const flushOne = async (): Promise<void> => {
      endSteps(1);
      await flush();
    };
    receiver.answerBy((response) => response.writeHead(400).end('bad \u001b[31m span'));
    await flushOne();
    await flushOne();
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain('answered 400 "bad \\u001b[31m span"');
    receiver.answerBy(accept);
    await flushOne();
    expect(warnings).toHaveLength(1);
    receiver.answerBy((response) => response.writeHead(401).end());
    await flushOne();
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

  test('a peer that never answers', async () => {
    const peer = await startPeer(() => {});
    const { shutdown } = start({ endpoint: peer.endpoint });
    endSteps(3);
    const takenMs = await timeOf(async () => {
      expect(await shutdown({ deadlineMs: 200 })).toMatchObject({ undeliveredSpans: 4 });
    });
    expect(takenMs).toBeLessThan(1500);
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
        problem: expect.stringContaining('no complete answer within'),
      });
      await shutdown({ deadlineMs: 100 });
    });
    for (let waitedMs = 0; !isCut && waitedMs < 2000; waitedMs += 20) await sleep(20);
    expect(isCut).toBe(true);
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
    expect(await flush({ deadlineMs: 8000 })).toEqual({ deliveredSpans: 2, undeliveredSpans: 0 });
    expect(warnings).toEqual([]);
  });
});
