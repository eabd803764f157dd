import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { JsonTraceSerializer } from '@opentelemetry/otlp-transformer';
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
    let missing = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      const serve = await startServe(storePath);
      const sending = Array.from({ length: SENDERS }, () => sendUntilGone(serve.url, acknowledged));
      await new Promise((resolve) => setTimeout(resolve, 200 + kill * 20));
      const exit = once(serve.child, 'exit');
      serve.child.kill('SIGKILL');
      await Promise.all([...sending, exit]);
      const stored = await storedTraceIds(storePath);
      missing += [...acknowledged].filter((traceId) => !stored.has(traceId)).length;
    }
    if (acknowledged.size < KILLS * 10) throw new Error(`only ${acknowledged.size} conversations were acknowledged`);
    report({
      name: `acknowledged conversations missing after ${KILLS} × kill -9`,
      value: missing,
      unit: '',
      atMost: 0,
      note: `${acknowledged.size} conversations acknowledged; the store opened each time`,
    });
  } finally {
    await rm(folder, { recursive: true });
  }
};

async function sendUntilGone(url: string, acknowledged: Set<string>): Promise<void> {
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
    for (const span of spans) acknowledged.add(span.spanContext().traceId);
  }
}

async function storedTraceIds(storePath: string): Promise<Set<string>> {
  const source = await openDuckDbSource(storePath);
  const { data } = await source.stepDurations({ window: { sinceUnixNano: 0n, untilUnixNano: 2n ** 63n - 1n } });
  await source.close();
  return new Set(data.traceIds);
}
