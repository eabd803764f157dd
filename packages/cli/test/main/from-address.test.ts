import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { rootSpan, stepSpan } from '@convotel/suite';
import { JaegerStandIn } from '../../../query/test/sources/jaeger/jaeger-stand-in.ts';
import { main } from '../../src/main.ts';
import { recordingTerminal } from '../recording-terminal.ts';

let jaeger: JaegerStandIn;
beforeEach(async () => {
  const start = '2025-10-08T14:30:00Z';
  jaeger = await JaegerStandIn.start([
    rootSpan({ start, ms: 500 }),
    stepSpan('gpt', { start, ms: 500, inputText: 'Hello', outputText: 'Hi' }),
  ]);
});
afterEach(async () => {
  await jaeger.stop();
});

async function call(...words: string[]): Promise<{ status: number; output: string; errors: string }> {
  const terminal = recordingTerminal({ HOME: '/nonexistent' });
  const status = await main([...words, '--tz', 'UTC'], terminal);
  return { status, output: terminal.output, errors: terminal.errors };
}

test('an address of a Jaeger is recognised with one request, and answers', async () => {
  const { status, output, errors } = await call('averages', '--from', jaeger.address, '--json');
  expect({ status, errors }).toEqual({ status: 0, errors: '' });
  expect(JSON.parse(output)).toMatchObject({
    source: { kind: 'jaeger', location: jaeger.address },
    coverage: { conversations: 1, spans: 2, complete: true, warnings: [] },
    data: [{ step: 'gpt', count: 1, averageMs: 500 }],
  });
  expect(jaeger.seen.map(({ path }) => path)).toEqual(['/api/v3/services', '/api/v3/traces']);
});

test.each([['explain', 'one'], ['satisfaction', '--by', 'response'], ['correlation'], ['sessions'], ['usage']])(
  'a Jaeger answers %s %s',
  async (...words) => {
    const { status, output } = await call(...words, '--from', jaeger.address, '--json');
    expect(status).toBe(0);
    expect(JSON.parse(output)).toMatchObject({ command: words[0], source: { kind: 'jaeger' } });
  },
);

test('texts of one conversation come from a Jaeger too', async () => {
  const { status, output } = await call('trace', 'one', '--from', jaeger.address);
  expect(status).toBe(0);
  expect(output).toMatch(/Input: +Hello\n +Output: +Hi/);
});

test('a conversation that a Jaeger does not have ends with 4, and says how far it was looked for', async () => {
  const { status, output, errors } = await call('summary', 'nobody', '--from', jaeger.address);
  expect({ status, output }).toEqual({ status: 4, output: '' });
  expect(errors).toMatch(/no conversation "nobody" in http.* Searched only the last 30 days, back to/);
});

test('an address that is not valid is wrong usage', async () => {
  const { status, errors } = await call('recent', '--from', 'http://');
  expect(status).toBe(2);
  expect(errors).toMatch(/--from is not a valid address\. Give one such as http:\/\/localhost:16686/);
});
