import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { conversation, joinConversation, startConversation } from '@convotel/tracing';
import type { ConversationHandle, RecordedStep } from '@convotel/tracing';
import { recordSpans } from '../support/span-recorder.ts';

const recorder = recordSpans();
const START_MS = Date.UTC(2025, 9, 8, 14, 30);

beforeEach(() => recorder.forget());

/** Records steps by their times in milliseconds after the start, and ends the conversation. */
function past(
  steps: readonly [name: string, fromMs: number, toMs: number, more?: Partial<RecordedStep>][],
  prepare: (c: ConversationHandle) => void = () => {},
): void {
  const c = startConversation({ startTime: START_MS });
  prepare(c);
  for (const [name, fromMs, toMs, more] of steps) {
    c.recordStep(name, { startTime: START_MS + fromMs, endTime: START_MS + toMs, ...more });
  }
  c.end({ endTime: START_MS + 60_000 });
}

/** Response latency in milliseconds, by span name; several values where several spans have it. */
function latencies(): Record<string, number[]> {
  const found: Record<string, number[]> = {};
  for (const { name, attributes } of recorder.spans()) {
    const seconds = attributes['conversation.response_latency'];
    if (typeof seconds === 'number') (found[name] ??= []).push(Math.round(seconds * 1000));
  }
  return found;
}

describe('by the names of steps', () => {
  test('it lasts from the end of the capture to the end of speech synthesis and to the start of playback', () => {
    past([
      ['request', 0, 1000],
      ['stt', 1000, 1500],
      ['gpt', 1500, 3000],
      ['tts', 3000, 4000],
      ['response', 4100, 9000],
    ]);
    expect(latencies()).toEqual({ tts: [3000], response: [3100] });
  });

  test('a first output counts instead of the end', () => {
    past([
      ['listen', 0, 1000],
      ['tts', 3000, 9000, { timeToFirstOutputSeconds: 0.25 }],
    ]);
    expect(latencies()).toEqual({ tts: [2250] });
  });

  test('without a capture it is measured from the start of the conversation', () => {
    past([['speak', 500, 1500]]);
    expect(latencies()).toEqual({ speak: [1500] });
  });

  test('of several captures the last that ended before the output counts', () => {
    past([
      ['request', 0, 1000],
      ['request', 2000, 2500],
      ['request', 5000, 8000],
      ['response', 3000, 6000],
    ]);
    expect(latencies()).toEqual({ response: [500] });
  });

  test('a failure that gave nothing answers nobody; playback that was interrupted did', () => {
    past([
      ['tts', 100, 200, { error: new Error('x') }],
      ['response', 300, 400, { outcome: 'interrupted' }],
      ['tts', 500, 600, { error: new Error('x'), timeToFirstOutputSeconds: 0.02 }],
    ]);
    expect(latencies()).toEqual({ response: [300], tts: [520] });
  });
});

describe('by the option responds', () => {
  test('only the steps that say so answer', () => {
    past([
      ['gpt', 0, 800, { responds: true, timeToFirstOutputSeconds: 0.3 }],
      ['tts', 800, 1000],
      ['screen', 900, 950, { responds: true }],
    ]);
    expect(latencies()).toEqual({ gpt: [300], screen: [950] });
  });

  test('one that says no does not', () => {
    past([
      ['tts', 0, 700, { responds: false }],
      ['response', 800, 1000],
    ]);
    expect(latencies()).toEqual({ response: [800] });
  });
});

describe('inputEnded()', () => {
  test('wins over captures', () => {
    past(
      [
        ['request', 0, 1000],
        ['response', 1500, 3000],
      ],
      (c) => c.inputEnded(START_MS + 700),
    );
    expect(latencies()).toEqual({ response: [800] });
  });

  test('after the output does not make it negative', () => {
    past([['response', 1500, 3000]], (c) => c.inputEnded(START_MS + 2000));
    expect(latencies()).toEqual({ response: [1500] });
  });

  test('is the present where no time is given', async () => {
    let longestMs = 0;
    await conversation(async (c) => {
      await sleep(60);
      const inputEndMs = performance.now();
      c.inputEnded();
      await c.step('tts', async (tts) => {
        await sleep(20);
        tts.firstOutput();
        longestMs = performance.now() - inputEndMs;
        await sleep(60);
      });
    });
    const [latencyMs] = latencies()['tts']!;
    const firstOutput = recorder.attributesOf('tts')['conversation.step.time_to_first_output'] as number;
    expect(latencyMs! / 1000).toBeGreaterThanOrEqual(firstOutput - 0.003);
    expect(latencyMs).toBeLessThanOrEqual(longestMs + 3);
  });

  test('with a time that cannot be meant is ignored, with a warning', () => {
    past([['response', 1500, 3000]], (c) => c.inputEnded(performance.now()));
    expect(latencies()).toEqual({ response: [1500] });
    expect(recorder.warnings).toEqual([expect.stringContaining('inputEnded() is ignored')]);
  });
});

describe('where no step answers', () => {
  test('the root has the value of the outermost streamed step that started last', () => {
    past([
      ['gpt', 0, 900, { timeToFirstOutputSeconds: 0.1 }],
      ['gpt', 1000, 1900, { timeToFirstOutputSeconds: 0.2 }],
      ['log', 1950, 2000],
    ]);
    expect(latencies()).toEqual({ conversation: [1200] });
  });

  test('and nothing streamed, nobody has one', () => {
    past([['gpt', 0, 900]]);
    expect(latencies()).toEqual({});
  });
});

describe('in another process', () => {
  test('it is measured from the end of input in the carrier', () => {
    const c = startConversation();
    const inputEndMs = Date.now() - 5000;
    c.inputEnded(inputEndMs);
    const carrier = { ...c.carrier() };
    c.end();
    recorder.forget();
    joinConversation(carrier, (there) => there.step('response', () => {}));
    const [latencyMs] = latencies()['response']!;
    expect(latencyMs).toBeGreaterThanOrEqual(4999);
    expect(latencyMs).toBeLessThanOrEqual(Date.now() - inputEndMs + 1);
  });

  test('whose clock is behind, it is left out', () => {
    const carrier = { ...startConversation().carrier(), 'convotel-input-end': String(Date.now() + 60_000) };
    joinConversation(carrier, (there) => there.step('response', () => {}));
    expect(latencies()).toEqual({});
  });

  test('that knows the id only, it is left out', () => {
    joinConversation('somewhere', (there) => there.step('response', () => {}));
    expect(latencies()).toEqual({});
  });
});
