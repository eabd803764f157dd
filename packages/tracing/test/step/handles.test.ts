import { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { runInNewContext } from 'node:vm';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { context, propagation, trace } from '@opentelemetry/api';
import { conversation, startConversation, startStep, step, wrapStep } from '@convotel/tracing';
import { msOf, recordSpans } from '../support/span-recorder.ts';

const recorder = recordSpans();

beforeEach(() => recorder.forget());

const parentOf = (name: string): string | undefined => recorder.only(name).parentSpanContext?.spanId;
const spanIdOf = (name: string): string => recorder.only(name).spanContext().spanId;

describe('startStep()', () => {
  test('lasts until end(), and a string is its output', async () => {
    await conversation(async (c) => {
      const gpt = c.startStep('gpt', { input: 'hello', model: 'gpt-5' });
      gpt.usage({ inputTokens: 1 });
      await sleep(20);
      gpt.end('hi!');
      gpt.end('too late');
    });
    expect(msOf(recorder.only('gpt').duration)).toBeGreaterThanOrEqual(18);
    expect(recorder.attributesOf('gpt')).toMatchObject({
      'conversation.outcome': 'completed',
      'conversation.input.chars': 5,
      'conversation.output.chars': 3,
      'gen_ai.request.model': 'gpt-5',
      'gen_ai.usage.input_tokens': 1,
    });
  });

  test('ends as an error says', () => {
    conversation((c) => c.startStep('gpt').end(Object.assign(new Error('busy'), { code: 'overloaded' })));
    expect(recorder.attributesOf('gpt')).toMatchObject({
      'conversation.outcome': 'failed',
      'error.type': 'overloaded',
    });
  });

  test('ends as an error of another realm says', () => {
    conversation((c) => c.startStep('gpt').end(runInNewContext("new TypeError('busy')")));
    expect(recorder.attributesOf('gpt')).toMatchObject({
      'conversation.outcome': 'failed',
      'error.type': 'TypeError',
    });
  });

  test('keeps the conversation open', () => {
    const c = startConversation();
    const gpt = c.startStep('gpt');
    c.end();
    expect(recorder.named('conversation')).toHaveLength(0);
    gpt.end();
    expect(recorder.named('conversation')).toHaveLength(1);
  });

  test('run() returns what its function returns, nests what it starts, and ends with it', async () => {
    const value = await conversation(async (c) => {
      const agent = c.startStep('agent');
      const result = agent.run(async () => {
        await sleep(1);
        return step('tool', () => 'x');
      });
      expect(recorder.named('agent')).toHaveLength(0);
      return result;
    });
    expect(value).toBe('x');
    expect(parentOf('tool')).toBe(spanIdOf('agent'));
    expect(recorder.attributesOf('agent')['conversation.outcome']).toBe('completed');
  });

  test('run() throws what its function throws', () => {
    const error = new Error('busy');
    conversation((c) => {
      const run = (): unknown =>
        c.startStep('gpt').run(() => {
          throw error;
        });
      expect(run).toThrow(error);
    });
    expect(recorder.attributesOf('gpt')['conversation.outcome']).toBe('failed');
  });

  test('bind() nests callbacks without ending the step', async () => {
    const socket = new EventEmitter();
    await conversation(async (c) => {
      const listening = c.startStep('listen');
      socket.on(
        'chunk',
        listening.bind(() => step('vad', () => {})),
      );
      setTimeout(() => socket.emit('chunk'), 1);
      setTimeout(() => socket.emit('chunk'), 2);
      await sleep(20);
      listening.end();
    });
    const parents = recorder.named('vad').map((span) => span.parentSpanContext?.spanId);
    expect(parents).toEqual([spanIdOf('listen'), spanIdOf('listen')]);
  });

  test('as a free function belongs to the active conversation', () => {
    conversation(() => startStep('gpt').end());
    expect(recorder.attributesOf('gpt')).toMatchObject({ 'conversation.outcome': 'completed' });
  });
});

describe('using', () => {
  test('ends steps and conversations when their block is left', async () => {
    {
      using c = startConversation({ conversationId: 'sync' });
      using stt = c.startStep('stt');
      stt.output('hello');
    }
    {
      await using c = startConversation({ conversationId: 'async' });
      await using gpt = c.startStep('gpt');
      gpt.output('hi');
    }
    expect(recorder.spans().map(({ name }) => name)).toEqual(['stt', 'conversation', 'gpt', 'conversation']);
    expect(recorder.attributesOf('stt')['conversation.output.chars']).toBe(5);
  });
});

describe('bind()', () => {
  test('brings event handlers into the conversation, with this and arguments as they are', async () => {
    const socket = new EventEmitter();
    const c = startConversation({ conversationId: 'bound' });
    const heard: unknown[] = [];
    socket.on(
      'message',
      // oxlint-disable-next-line typescript/no-misused-promises -- what programs hand to an emitter
      c.bind(async function (this: EventEmitter, text: string) {
        heard.push(this, text);
        await sleep(1);
        await step('stt', () => sleep(1));
        socket.emit('done');
      }),
    );
    const done = new Promise((resolve) => socket.once('done', resolve));
    setTimeout(() => socket.emit('message', 'hello'), 1);
    await done;
    c.end();
    expect(heard).toEqual([socket, 'hello']);
    expect(recorder.attributesOf('stt')['conversation.id']).toBe('bound');
    expect(parentOf('stt')).toBe(spanIdOf('conversation'));
  });

  test('brings them into the step in which it is called, for as long as that is open', async () => {
    let later!: () => void;
    await conversation(async (c) =>
      c.step('agent', async () => {
        later = c.bind(() => step('tool', () => {}));
        later();
      }),
    );
    later();
    const parents = recorder.named('tool').map((span) => span.parentSpanContext?.spanId);
    expect(parents).toEqual([spanIdOf('agent'), spanIdOf('conversation')]);
  });

  test('keeps what else is active where it is called', () => {
    const bound = startConversation().bind(() => context.active());
    trace.getTracer('x').startActiveSpan('outer', (outer) => {
      const key = Symbol('theirs');
      context.with(context.active().setValue(key, 7), () => expect(bound().getValue(key)).toBe(7));
      outer.end();
    });
  });
});

describe('outside of any conversation', () => {
  test('a step returns its result, and one warning says where that was and what to do', async () => {
    expect(await step('stt', async () => 'hello')).toBe('hello');
    expect(step('stt', { timeoutMs: 5 }, ({ signal }) => signal.aborted)).toBe(false);
    expect(wrapStep('gpt', (text: string) => text.length)('four')).toBe(4);
    const handle = startStep('tts');
    expect(handle.run(() => 5)).toBe(5);
    expect(handle.carrier()).toEqual({});
    handle.end();
    expect(recorder.spans()).toEqual([]);
    expect(recorder.warnings).toHaveLength(1);
    expect(recorder.warnings[0]).toContain('the step "stt" ran outside of any conversation');
    expect(recorder.warnings[0]).toContain('handles.test.ts:');
    expect(recorder.warnings[0]).toContain('c.bind(');
  });

  test('in a trace of another process, the advice is another', () => {
    const traceparent = `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`;
    context.with(propagation.extract(context.active(), { traceparent }), () => step('gpt', () => {}));
    expect(recorder.warnings).toEqual([expect.stringContaining('joinConversation()')]);
  });

  test('the place is that of the call of a wrapped function, too', () => {
    wrapStep('gpt', () => 1)();
    expect(recorder.warnings[0]).toContain('handles.test.ts:');
  });
});

test('wrapStep() keeps overloads and type parameters', () => {
  function parse(text: string): number;
  function parse(list: readonly string[]): number[];
  function parse(given: string | readonly string[]): number | number[] {
    return typeof given === 'string' ? Number(given) : given.map(Number);
  }
  const parsed = wrapStep('parse', parse);
  const one: number = parsed('1');
  const several: number[] = parsed(['1', '2']);
  const same = wrapStep('same', <Value>(value: Value): Value => value);
  const typed: 'x' = same('x' as const);
  expect([one, several, typed]).toEqual([1, [1, 2], 'x']);
});
