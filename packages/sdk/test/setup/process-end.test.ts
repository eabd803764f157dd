import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { startTracing } from '@convotel/sdk';
import { conversation } from '@convotel/tracing';
import { attributesOf, startOtlpReceiver } from '../support/otlp-receiver.ts';
import type { OtlpReceiver } from '../support/otlp-receiver.ts';
import { waitUntil } from '../support/wait-until.ts';

let receiver: OtlpReceiver;
let folder: string;
const children: ChildProcess[] = [];

beforeEach(async () => {
  receiver = await startOtlpReceiver();
  folder = mkdtempSync(join(tmpdir(), 'convotel-end-'));
});

afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await receiver.stop();
  rmSync(folder, { recursive: true, force: true });
});

interface Program {
  child: ChildProcess;
  output: () => string;
  /** Resolves when the program has written this. */
  says: (text: string) => Promise<void>;
  ended: Promise<number | string | null>;
}

/** Starts tracing, has one conversation, and then does what a test wants. */
function run(then: string, options = '', setUp = 'const tracing = startTracing'): Program {
  const program = `
    import { convotelSpanProcessor, startTracing } from '@convotel/sdk';
    import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
    import { conversation, startConversation } from '@convotel/tracing';
    ${setUp}({ serviceName: 'ends', endpoint: '${receiver.endpoint}', metrics: false, journal: { folder: '${folder}' }, warn() {}, ${options} });
    conversation((c) => c.step('first', () => 1));
    ${then}
    console.log('ready');
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    cwd: import.meta.dirname,
    env: { ...process.env, NODE_OPTIONS: '', OTEL_BSP_SCHEDULE_DELAY: '60000' },
  });
  children.push(child);
  let output = '';
  const waiting: (() => void)[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      for (const look of waiting) look();
    });
  }
  const says = (text: string): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (output.includes(text)) resolve();
      };
      waiting.push(look);
      look();
    });
  const ended = new Promise<number | string | null>((resolve) =>
    child.on('exit', (code, signal) => resolve(signal ?? code)),
  );
  return { child, output: () => output, says, ended };
}

const STAYS = 'setInterval(() => {}, 1000);';

describe('a signal', () => {
  test.each(['SIGINT', 'SIGTERM'] as const)(
    '%s sends what waits and ends the process as it always did',
    async (signal) => {
      const { child, says, ended } = run(STAYS);
      await says('ready');
      child.kill(signal);
      expect(await ended).toBe(signal);
      expect(receiver.spans()).toHaveLength(2);
    },
  );

  test.each(['SIGINT', 'SIGTERM'] as const)('%s ends the process where the back end hangs', async (signal) => {
    receiver.answerBy(() => {});
    const { child, says, ended } = run(STAYS);
    await says('ready');
    child.kill(signal);
    expect(await ended).toBe(signal);
  });

  test('that somebody else handles is left to him, also one who came later', async () => {
    const { child, says } = run(`${STAYS} process.on('SIGTERM', () => console.log('mine'));`);
    await says('ready');
    child.kill('SIGTERM');
    await says('mine');
    expect(child.exitCode).toBeNull();
    expect(receiver.spans()).toHaveLength(0);
  });

  test('that comes a second time ends at once', async () => {
    receiver.answerBy(() => {});
    const { child, says, ended } = run(STAYS);
    await says('ready');
    child.kill('SIGTERM');
    await waitUntil(() => receiver.requests.length > 0);
    child.kill('SIGTERM');
    expect(await ended).toBe('SIGTERM');
  });

  test('is not listened for with shutdownOnSignals: false', async () => {
    const { says, output } = run(
      "console.log('listeners', process.listenerCount('SIGINT'));",
      'shutdownOnSignals: false',
    );
    await says('ready');
    expect(output()).toContain('listeners 0');
  });
});

describe('the end', () => {
  test('by itself sends what waits', async () => {
    const { ended } = run('');
    expect(await ended).toBe(0);
    expect(receiver.spans()).toHaveLength(2);
  });

  test('by itself comes where the back end hangs', async () => {
    receiver.answerBy(() => {});
    const { ended } = run('');
    expect(await ended).toBe(0);
  });

  test('of a program whose model throws keeps its status and message, and loses nothing', async () => {
    const { ended, output } = run(
      "await conversation((c) => c.step('gpt', async () => { throw new Error('model is down'); }));",
    );
    expect(await ended).toBe(1);
    expect(output()).toContain('model is down');
    const next = startTracing({
      serviceName: 'ends',
      endpoint: receiver.endpoint,
      metrics: false,
      journal: { folder },
    });
    await next.shutdown();
    const names = receiver.spans().map(({ name }) => name);
    expect(names.toSorted()).toEqual(['conversation', 'conversation', 'first', 'gpt']);
  });

  test('asks the tracing package to end what is open, first', async () => {
    const asks =
      "(globalThis[Symbol.for('convotel')] ??= { settings: {}, warned: new Set(), releaseListeners: new Set() }).abandonOpen = (reason) => console.log('abandon', reason);";
    const natural = run(asks);
    await natural.ended;
    expect(natural.output()).toContain('abandon process_end');
    const shutDown = run(`${asks} await tracing.shutdown();`);
    await shutDown.ended;
    expect(shutDown.output()).toContain('abandon shutdown');
    const signalled = run(`${asks} ${STAYS}`);
    await signalled.says('ready');
    signalled.child.kill('SIGINT');
    await signalled.ended;
    expect(signalled.output()).toContain('abandon SIGINT');
  });
});

test.each(['own-tracing', 'processor'])(
  'what a worker thread left that was terminated is sent by its process at the end: %s',
  async (kind) => {
    const worker = `
      import { parentPort, workerData } from 'node:worker_threads';
      import { startTracing } from '@convotel/sdk';
      import { conversation } from '@convotel/tracing';
      startTracing({ serviceName: 'ends', endpoint: 'http://127.0.0.1:9', metrics: false, journal: { folder: workerData }, warn() {} });
      conversation((c) => c.step('in the worker', () => 1));
      parentPort.postMessage('done');
      setInterval(() => {}, 1000);
    `;
    const provide =
      'let provider; const provide = (options) => (provider = new NodeTracerProvider({ spanProcessors: [convotelSpanProcessor(options)] })).register(); provide';
    const program = run(
      `const { Worker } = await import('node:worker_threads');
      const worker = new Worker(${JSON.stringify(worker)}, { eval: true, workerData: '${folder}' });
      await new Promise((resolve) => worker.on('message', resolve));
      await worker.terminate();
      await ${kind === 'processor' ? 'provider' : 'tracing'}.shutdown();`,
      '',
      kind === 'processor' ? provide : undefined,
    );
    expect([await program.ended, program.output()]).toEqual([0, 'ready\n']);
    expect(receiver.spans().filter(({ name }) => name === 'in the worker')).toHaveLength(1);
  },
);

describe('a step that is open arrives as abandoned', () => {
  const OPEN =
    "const open = startConversation({ conversationId: 'left' }); const step = open.startStep('open'); step.output('half');";
  const expectAbandoned = (): void => {
    const spans = receiver.spans().map((span) => ({ ...span, values: attributesOf(span) }));
    const step = spans.filter(({ name }) => name === 'open');
    expect(step).toHaveLength(1);
    expect(step[0]?.values).toMatchObject({ 'conversation.outcome': 'abandoned', 'conversation.output.chars': 4 });
    // It ended here, and was not closed by a later start.
    expect(step[0]?.values).not.toHaveProperty('conversation.recovered');
    const roots = spans.filter(
      ({ values }) => values['conversation.id'] === 'left' && !('conversation.step.name' in values),
    );
    expect(roots).toHaveLength(1);
    expect(roots[0]?.values).toMatchObject({ 'conversation.outcome': 'abandoned' });
    expect(step[0]?.parentSpanId).toBe(roots[0]?.spanId);
  };

  test.each(['SIGINT', 'SIGTERM'] as const)('at %s', async (signal) => {
    const { child, says, ended } = run(`${OPEN} ${STAYS}`);
    await says('ready');
    child.kill(signal);
    expect(await ended).toBe(signal);
    expectAbandoned();
  });

  test('at the natural end', async () => {
    const { ended } = run(OPEN);
    expect(await ended).toBe(0);
    expectAbandoned();
  });

  test.each(['SIGTERM', 'the natural end'])('at %s, on a provider of the program with our processor', async (end) => {
    const provide =
      'const provide = (options) => new NodeTracerProvider({ spanProcessors: [convotelSpanProcessor(options)] }).register(); provide';
    const { child, says, ended } = run(`${OPEN} ${end === 'SIGTERM' ? STAYS : ''}`, '', provide);
    await says('ready');
    if (end === 'SIGTERM') child.kill('SIGTERM');
    expect(await ended).toBe(end === 'SIGTERM' ? 'SIGTERM' : 0);
    expectAbandoned();
  });

  test('at process.exit, by the next start', async () => {
    const { ended } = run(`${OPEN} process.exit(3);`);
    expect(await ended).toBe(3);
    const next = startTracing({
      serviceName: 'ends',
      endpoint: receiver.endpoint,
      metrics: false,
      journal: { folder },
    });
    await next.shutdown();
    expectAbandoned();
  });
});

test('await using shuts down at the end of the block', async () => {
  let report;
  {
    await using tracing = startTracing({ endpoint: receiver.endpoint, metrics: false, journal: { folder } });
    conversation((c) => c.step('first', () => 1));
    report = tracing.report;
  }
  expect(report()).toMatchObject({ deliveredSpans: 2, waitingSpans: 0 });
});

test('fake timers do not stop delivery', async () => {
  jest.useFakeTimers();
  try {
    const tracing = startTracing({ endpoint: receiver.endpoint, metrics: false, journal: { folder } });
    conversation((c) => c.step('first', () => 1));
    expect(await tracing.flush()).toEqual({ deliveredSpans: 2, undeliveredSpans: 0 });
    conversation((c) => c.step('second', () => 1));
    expect(await tracing.shutdown()).toEqual({ deliveredSpans: 4, undeliveredSpans: 0 });
  } finally {
    jest.useRealTimers();
  }
});

test('nor do those that were there before convotel was loaded', async () => {
  jest.useFakeTimers();
  jest.resetModules();
  try {
    const { startTracing: freshStart } = await import('@convotel/sdk');
    const { conversation: freshConversation } = await import('@convotel/tracing');
    let requests = 0;
    // What is tried again needs a timer.
    receiver.answerBy((response) => {
      requests += 1;
      if (requests === 1) response.writeHead(503).end();
      else response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
    const tracing = freshStart({ endpoint: receiver.endpoint, metrics: false, journal: { folder }, warn() {} });
    freshConversation((c) => c.step('first', () => 1));
    expect(await tracing.shutdown()).toEqual({ deliveredSpans: 2, undeliveredSpans: 0 });
  } finally {
    jest.useRealTimers();
  }
});

test('OTEL_LOG_LEVEL shows what OpenTelemetry says; without it, nothing is written', async () => {
  const { ended, output } = run('', '', "process.env.OTEL_LOG_LEVEL = 'Debug'; const tracing = startTracing");
  expect(await ended).toBe(0);
  expect(output()).toMatch(/@opentelemetry\/api: Registered a global/);
  const quiet = run('');
  expect(await quiet.ended).toBe(0);
  expect(quiet.output()).toBe('ready\n');
});
