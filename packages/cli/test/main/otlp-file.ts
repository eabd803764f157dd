import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from '@jest/globals';
import { conversationIdsOf } from '@convotel/conventions';

/** One step of a conversation for a test file. */
export interface TestStep {
  step: string;
  durationMs: number;
  error?: string;
  input?: string;
  attributes?: Record<string, string | number>;
}

/** One conversation for a test file; its steps follow one another. */
export interface TestConversation {
  id: string;
  start: string;
  steps: TestStep[];
  workflow?: string;
  session?: string;
}

const folders: string[] = [];
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

/** A new folder, gone when the tests of the file are over. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'convotel-cli-'));
  folders.push(folder);
  return folder;
}

/** Writes the conversations as OTLP/JSON, one request a line, to a new file, and returns its path. */
export async function writeOtlpFile(conversations: readonly TestConversation[]): Promise<string> {
  const path = join(await temporaryFolder(), 'spans.jsonl');
  await writeFile(path, conversations.map((each) => `${JSON.stringify(toRequest(each))}\n`).join(''));
  return path;
}

/** One conversation as an `ExportTraceServiceRequest` in OTLP/JSON. */
export function toRequest({ id, start, steps, workflow = 'voice', session }: TestConversation): object {
  const { traceId, rootSpanId } = conversationIdsOf(id);
  const isFailed = steps.some(({ error }) => error !== undefined);
  let timeNano = BigInt(Date.parse(start)) * 1_000_000n;
  const rootStart = timeNano;
  const spans: object[] = steps.map(({ step, durationMs, error, input, attributes = {} }, index) => {
    const startTimeUnixNano = String(timeNano);
    timeNano += BigInt(Math.round(durationMs * 1e6));
    return {
      traceId,
      spanId: (index + 1).toString(16).padStart(16, '0'),
      parentSpanId: rootSpanId,
      name: step,
      startTimeUnixNano,
      endTimeUnixNano: String(timeNano),
      attributes: toAttributes({
        'conversation.id': id,
        'conversation.step.name': step,
        'conversation.outcome': error === undefined ? 'completed' : 'failed',
        ...(error === undefined ? {} : { 'error.type': 'Error' }),
        ...(input === undefined ? {} : { 'conversation.pii.input_text': input }),
        ...attributes,
      }),
      status: error === undefined ? {} : { code: 2, message: error },
    };
  });
  spans.push({
    traceId,
    spanId: rootSpanId,
    name: 'conversation',
    startTimeUnixNano: String(rootStart),
    endTimeUnixNano: String(timeNano),
    attributes: toAttributes({
      'conversation.id': id,
      'conversation.schema.version': '1',
      'conversation.outcome': isFailed ? 'failed' : 'completed',
      'gen_ai.workflow.name': workflow,
      ...(session === undefined ? {} : { 'session.id': session }),
    }),
  });
  const resource = { attributes: toAttributes({ 'service.name': 'voice-bot' }) };
  return { resourceSpans: [{ resource, scopeSpans: [{ spans }] }] };
}

function toAttributes(values: Record<string, string | number>): object[] {
  return Object.entries(values).map(([key, value]) => ({
    key,
    value: typeof value === 'string' ? { stringValue: value } : { doubleValue: value },
  }));
}

/** Three conversations that completed and one that failed at its language model, in the hour before 15:00 UTC. */
export const FOUR_CONVERSATIONS: readonly TestConversation[] = [
  ...[0, 1, 2].map((index) => ({
    id: `good-${index}`,
    start: `2025-10-08T14:${30 + index}:00.250Z`,
    session: 'call-1',
    steps: [
      { step: 'request', durationMs: 150 },
      { step: 'stt', durationMs: 1200, attributes: { 'conversation.step.timing.queue_wait': 0.08 } },
      {
        step: 'gpt',
        durationMs: 3400 + 100 * index,
        input: 'Tell me a story',
        attributes: {
          'conversation.step.time_to_first_output': 0.4,
          'gen_ai.request.model': 'a-model',
          'shop.id': 'x',
        },
      },
      { step: 'tts', durationMs: 1400, attributes: { 'conversation.response_latency': 5 + index } },
      { step: 'response', durationMs: 450 },
    ],
  })),
  {
    id: 'bad-0',
    start: '2025-10-08T14:40:00Z',
    workflow: 'chat',
    steps: [
      { step: 'request', durationMs: 150 },
      { step: 'stt', durationMs: 1200 },
      { step: 'gpt', durationMs: 500, error: 'API rate limit exceeded' },
    ],
  },
];
