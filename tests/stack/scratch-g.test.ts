import { test } from '@jest/globals';
import { averages, JaegerSource } from '@convotel/query';
import type { SpanRecord } from '@convotel/query';
import { encodeOtlpJson } from '../conversation-source/encode-otlp-json.ts';
import { rootSpan, stepSpan } from '../conversation-source/span-builders.ts';
import { startJaeger } from './src/start-jaeger.ts';
const N = 20000;
test('x', async () => {
  for (const storage of (process.env['G_STORAGE'] ?? 'memory,badger').split(',') as ('badger' | 'memory')[]) {
    const j = await startJaeger({ storage, maxTraces: 100000 });
    const t0 = Date.parse('2025-10-08T00:00:00Z');
    for (let i = 0; i < N; i += 500) {
      const spans: SpanRecord[] = [];
      for (let k = i; k < i + 500; k++) {
        const start = (ms: number) => new Date(t0 + k * 4000 + ms).toISOString();
        const base = { id: `20251008_${k}`, serviceName: 'voice-bot', sessionId: 'caller-' + (k % 100) };
        ['request', 'stt', 'gpt', 'tts', 'response'].forEach((s, n) =>
          spans.push(
            stepSpan(s, { ...base, start: start(n * 600), ms: 500 + (k % 97), inputChars: 12, outputChars: 40 }),
          ),
        );
        spans.push(rootSpan({ ...base, start: start(0), ms: 3100, workflow: 'voice' }));
      }
      // one resource per trace
      const body = JSON.parse(encodeOtlpJson(spans));
      const rs = body.resourceSpans.reduce((acc: any[], r: any) => {
        const last = acc.at(-1);
        if (last && last.scopeSpans[0].spans[0].traceId === r.scopeSpans[0].spans[0].traceId)
          last.scopeSpans[0].spans.push(...r.scopeSpans[0].spans);
        else acc.push(r);
        return acc;
      }, []);
      const r = await fetch(j.otlpUrl + '/v1/traces', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ resourceSpans: rs }),
      });
      if (r.status !== 200) throw new Error(String(r.status));
      await r.text();
    }
    const window = { sinceUnixNano: BigInt(t0) * 1000000n, untilUnixNano: BigInt(t0 + N * 4000 + 1e6) * 1000000n };
    const lines: string[] = [];
    for (let round = 0; round < 4; round++) {
      for (const mode of ['service', 'none', 'service raw'] as const) {
        const p = new URLSearchParams({
          'query.start_time_min': new Date(t0).toISOString(),
          'query.start_time_max': new Date(t0 + N * 4000 + 1e6).toISOString(),
          'query.num_traces': String(N),
          ...(mode !== 'none' && { 'query.service_name': 'voice-bot' }),
          ...(mode === 'service raw' && { 'query.raw_traces': 'true' }),
        });
        const a = performance.now();
        const res = await fetch(`${j.queryUrl}/api/v3/traces?${p}`);
        const text = await res.text();
        const b = performance.now();
        if (res.status === 200) JSON.parse(text);
        lines.push(
          `${storage} bare ${mode}: ${res.status} ${(text.length / 1e6).toFixed(1)} MB fetch ${(b - a).toFixed(0)} total ${(performance.now() - a).toFixed(0)}`,
        );
      }
      for (const o of [
        {},
        { searchDepth: 1000 },
        { searchDepth: 5000 },
        { concurrency: 2 },
        { searchDepth: 100000, maxSearchDepth: 100000 },
      ]) {
        const s = new JaegerSource(j.queryUrl, o);
        const c = performance.now();
        const { coverage } = await averages(s, { window, timeZone: 'UTC' });
        lines.push(
          `${storage} ours ${JSON.stringify(o)}: ${(performance.now() - c).toFixed(0)} ${JSON.stringify(coverage)} rss ${(process.memoryUsage().rss / 1e6).toFixed(0)}`,
        );
      }
    }
    console.log(lines.join('\n'));
    await j.stop();
  }
}, 300000);
