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
    env: { ...process.env, NODE_OPTIONS: '', OTEL_EXPORTER_OTLP_ENDPOINT: endpoint },
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

test('three conversations arrive, each one trace, with the refused attempt and without any text', async () => {
  const { exitCode, stdout, stderr } = await runProgram();
  expect(stderr).toBe('');
  expect(exitCode).toBe(0);
  expect(stdout).toContain('  You asked: tell me a story about a robot\n');
  expect(stdout).toContain('19 spans delivered, 0 not\n');

  const resources = requests.flatMap(({ resourceSpans }) => resourceSpans);
  expect(attributesOf(resources[0]!.resource)['service.name']).toBe('voice-assistant');
  const spans = resources.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans: found }) => found));
  const roots = spans.filter(({ name }) => name === 'conversation');
  const stepsByConversation = roots.map(({ traceId, spanId }) =>
    spans.filter((span) => span.traceId === traceId && span.parentSpanId === spanId).map(({ name }) => name),
  );
  const steps = ['request', 'stt', 'gpt', 'tts', 'response'];
  expect(stepsByConversation).toEqual([steps, steps, ['request', 'stt', 'gpt', 'gpt', 'tts', 'response']]);
  expect(roots.map((root) => attributesOf(root)['conversation.outcome'])).toEqual(Array(3).fill('completed'));
  expect(roots.map((root) => attributesOf(root)['session.id'])).toEqual(Array(3).fill('caller-1'));

  const [refused, second] = spans.filter(({ name }) => name === 'gpt').slice(2);
  expect(refused!.status).toEqual({ code: 2, message: 'API rate limit exceeded' });
  expect(attributesOf(refused!)).toMatchObject({ 'conversation.outcome': 'failed', 'error.type': 'RateLimitError' });
  expect(attributesOf(second!)).toMatchObject({
    'conversation.step.attempt': 2,
    'conversation.outcome': 'completed',
    'gen_ai.usage.input_tokens': 2,
    'conversation.input.chars': 'good night'.length,
  });
  expect(JSON.stringify(requests)).not.toContain('robot');
});
