import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';

const PROGRAM = fileURLToPath(new URL('../dist/main.js', import.meta.url));

interface Attribute {
  key: string;
  value: Record<string, unknown>;
}

interface Span {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  startTimeUnixNano: string;
  attributes: Attribute[];
  status: { code?: number; message?: string };
}

interface TraceRequest {
  resourceSpans: { resource: { attributes: Attribute[] }; scopeSpans: { spans: Span[] }[] }[];
}

const requests: TraceRequest[] = [];
let receiver: Server;

beforeAll(async () => {
  receiver = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (request.url === '/v1/traces') requests.push(JSON.parse(Buffer.concat(chunks).toString()) as TraceRequest);
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
});

afterAll(() => {
  receiver.closeAllConnections();
  receiver.close();
});

async function runProgram(): Promise<{ exitCode: number | null; stdout: string; stderr: string }> {
  const endpoint = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
  const child = spawn(process.execPath, [PROGRAM], {
    env: {
      ...process.env,
      NODE_OPTIONS: '',
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  return new Promise((resolve) => child.on('close', (exitCode) => resolve({ exitCode, stdout, stderr })));
}

function attributesOf({ attributes }: { attributes: Attribute[] }): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}

test('three conversations arrive from two processes, with the refused attempt, the barge-in, and without any text', async () => {
  const { exitCode, stdout, stderr } = await runProgram();
  expect(stderr).toBe('');
  expect(exitCode).toBe(0);
  expect(stdout).toContain('  You asked: what time is it\n');
  expect(stdout).toContain('  You asked: tell me a story about a robot (interrupted)\n');
  expect(stdout).toContain('19 spans delivered, 0 not\n');

  const spans = requests
    .flatMap(({ resourceSpans }) => resourceSpans)
    .flatMap(({ resource, scopeSpans }) => {
      const service = attributesOf(resource)['service.name'];
      return scopeSpans.flatMap(({ spans: found }) => found.map((span) => ({ ...span, service })));
    })
    .toSorted((first, second) => Number(BigInt(first.startTimeUnixNano) - BigInt(second.startTimeUnixNano)));
  const roots = spans.filter(({ name }) => name === 'conversation');
  const of = (service: string): string[][] =>
    roots.map(({ traceId, spanId }) =>
      spans
        .filter((span) => span.traceId === traceId && span.parentSpanId === spanId && span.service === service)
        .map(({ name }) => name),
    );
  const heard = ['request', 'stt', 'gpt'];
  expect(of('voice-assistant')).toEqual([heard, heard, [...heard, 'gpt']]);
  expect(of('voice-assistant-speaker')).toEqual(Array(3).fill(['tts', 'response']));
  expect(new Set(roots.map(({ service }) => service))).toEqual(new Set(['voice-assistant-speaker']));
  expect(roots.map((root) => attributesOf(root)['conversation.outcome'])).toEqual([
    'completed',
    'interrupted',
    'completed',
  ]);
  expect(roots.map((root) => attributesOf(root)['session.id'])).toEqual(Array(3).fill('caller-1'));

  const [, refused, second] = spans.filter(({ name }) => name === 'gpt').slice(1);
  expect(refused!.status).toEqual({ code: 2, message: 'API rate limit exceeded' });
  expect(attributesOf(refused!)).toMatchObject({ 'conversation.outcome': 'failed', 'error.type': 'RateLimitError' });
  expect(attributesOf(second!)).toMatchObject({
    'conversation.step.attempt': 2,
    'conversation.step.time_to_first_output': expect.any(Number),
    'conversation.step.chunks': 4,
    'conversation.output.chars': 'You asked: good night '.length,
    'conversation.outcome': 'completed',
    'gen_ai.usage.input_tokens': 2,
    'conversation.input.chars': 'good night'.length,
  });
  const responses = spans.filter(({ name }) => name === 'response').map(attributesOf);
  expect(responses[1]).toMatchObject({
    'conversation.outcome': 'interrupted',
    'conversation.step.interruption.reason': 'barge_in',
  });
  const speeches = spans.filter(({ name }) => name === 'tts').map(attributesOf);
  expect(speeches.map((speech) => speech['conversation.outcome'])).toEqual(['completed', 'interrupted', 'completed']);
  for (const [index, speech] of speeches.entries()) {
    // Playback begins with the first chunk of the speech.
    expect(speech['conversation.response_latency']).toBeLessThanOrEqual(
      responses[index]!['conversation.response_latency'] as number,
    );
  }
  for (const response of responses) expect(response['conversation.response_latency']).toBeGreaterThan(0.3);
  expect(JSON.stringify(requests)).not.toContain('robot');
});
