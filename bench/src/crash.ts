import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { JsonTraceSerializer } from '@opentelemetry/otlp-transformer';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { openDuckDbSource } from '@convotel/local';
import type { Bench } from './figure.ts';
import { generateSpans } from './generate-spans.ts';
import { startServe } from './processes.ts';

const KILLS = 25;
const SENDERS = 4;
const SPANS_PER_REQUEST = 256;

/** Kills the back end again and again while spans arrive, and looks for what it had acknowledged. */
export const bench: Bench = async (report) => {
  const folder = await mkdtemp(join(tmpdir(), 'convotel-bench-'));
  try {
    const storePath = join(folder, 'crash.duckdb');
    const acknowledged = new Set<string>();
    let acknowledgedSpans = 0;
    let missing = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      const serve = await startServe(storePath);
      const sending = Array.from({ length: SENDERS }, () =>
        sendUntilGone(serve.url, (spans) => {
          acknowledgedSpans += spans.length;
          for (const span of spans) acknowledged.add(span.spanContext().traceId);
        }),
      );
      await new Promise((resolve) => setTimeout(resolve, 200 + kill * 20));
      const exit = once(serve.child, 'exit');
      serve.child.kill('SIGKILL');
      await Promise.all([...sending, exit]);
      const stored = await readStored(storePath);
      // More may be stored than was acknowledged; whole requests, so that a conversation is there whole or not at all.
      if (stored.spans < acknowledgedSpans) missing += acknowledgedSpans - stored.spans;
      missing += [...acknowledged].filter((traceId) => !stored.traceIds.has(traceId)).length;
    }
    if (acknowledged.size < KILLS * 10) throw new Error(`only ${acknowledged.size} conversations were acknowledged`);
    report({
      name: `acknowledged spans missing after ${KILLS} × kill -9`,
      value: missing,
      unit: '',
      atMost: 0,
      note: `${acknowledgedSpans} spans of ${acknowledged.size} conversations acknowledged; the store opened each time`,
    });
  } finally {
    await rm(folder, { recursive: true });
  }
};

async function sendUntilGone(url: string, onAcknowledged: (spans: ReadableSpan[]) => void): Promise<void> {
  for (;;) {
    const spans = generateSpans(SPANS_PER_REQUEST, Date.now(), 20);
    const body = Buffer.from(JsonTraceSerializer.serializeRequest(spans)!);
    try {
      const headers = { 'content-type': 'application/json' };
      const { status } = await fetch(`${url}/v1/traces`, { method: 'POST', headers, body });
      if (status !== 200) throw new Error(`answered ${status}`);
    } catch (error) {
      // Gone, as it should be; an answer other than 200 is not.
      if (error instanceof TypeError) return;
      throw error;
    }
    onAcknowledged(spans);
  }
}

async function readStored(storePath: string): Promise<{ traceIds: Set<string>; spans: number }> {
  const source = await openDuckDbSource(storePath);
  const window = { sinceUnixNano: 0n, untilUnixNano: 2n ** 63n - 1n };
  const { data, coverage } = await source.ask({ name: 'step-durations', window });
  await source.close();
  return { traceIds: new Set(data.traceIds), spans: coverage.spans };
}
