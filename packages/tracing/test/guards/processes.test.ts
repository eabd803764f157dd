import { execFile } from 'node:child_process';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';

const folder = dirname(fileURLToPath(import.meta.url));

/** Runs a program of its own from the built packages; resolves with what it printed. */
async function run(program: string, environment: NodeJS.ProcessEnv = {}): Promise<{ stdout: string; failed: boolean }> {
  const started = promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], {
    cwd: folder,
    env: { ...process.env, NODE_OPTIONS: '', ...environment },
  });
  try {
    return { stdout: (await started).stdout, failed: false };
  } catch (error) {
    return { stdout: (error as { stdout: string }).stdout, failed: true };
  }
}

test('a rejection that the program does not handle is still unhandled', async () => {
  const { stdout } = await run(`
    import { conversation } from '@convotel/tracing';
    process.on('unhandledRejection', (error) => console.log('unhandled', error.message));
    conversation((c) => { c.step('gpt', async () => { throw new Error('busy'); }); });
  `);
  expect(stdout).toBe('unhandled busy\n');
});

test('a rejection that the program handles is handled once and for all', async () => {
  const { stdout, failed } = await run(`
    import { conversation } from '@convotel/tracing';
    process.on('unhandledRejection', () => console.log('unhandled'));
    await conversation(async (c) => c.step('gpt', async () => { throw new Error('busy'); })).catch(() => console.log('handled'));
    await new Promise((resolve) => setTimeout(resolve, 50));
  `);
  expect(stdout).toBe('handled\n');
  expect(failed).toBe(false);
});

test.each([
  ['true', 'hello'],
  ['TRUE', 'hello'],
  ['1', undefined],
  [undefined, undefined],
])('the environment switches content capture: %s', async (value, kept) => {
  const { stdout } = await run(
    `
    import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';
    import { conversation } from '@convotel/tracing';
    const exporter = new InMemorySpanExporter();
    new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }).register();
    conversation((c) => c.step('stt', () => 'hello'));
    console.log(exporter.getFinishedSpans()[0].attributes['conversation.pii.output_text']);
  `,
    value === undefined ? {} : { OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT: value },
  );
  expect(stdout).toBe(`${kept}\n`);
});
