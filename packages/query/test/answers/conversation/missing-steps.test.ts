import { expect, test } from '@jest/globals';
import { missingStepsOf } from '../../../src/answers/conversation/trace.ts';
import { stepDurations } from '../step-durations.ts';

const WHOLE = { stt: { offsetMs: 0 }, gpt: { offsetMs: 10 }, tts: { offsetMs: 20 }, response: { offsetMs: 30 } };
const CUT = { stt: { offsetMs: 0 }, gpt: { offsetMs: 10 } };

function compared(
  ...pipelines: Record<string, { offsetMs: number }>[]
): [ReturnType<typeof stepDurations>, Set<string>] {
  const rows = pipelines.map((steps, index) => ({ traceId: `trace ${index}`, steps }));
  return [stepDurations(rows), new Set(rows.map(({ traceId }) => traceId))];
}

test('names, in step order, what most conversations have after the last step reached', () => {
  expect(missingStepsOf(new Set(['stt', 'gpt']), ...compared(CUT, WHOLE, WHOLE))).toEqual(['tts', 'response']);
  expect(missingStepsOf(new Set(['stt', 'tts']), ...compared(CUT, WHOLE, WHOLE))).toEqual(['response']);
  expect(missingStepsOf(new Set(), ...compared(WHOLE))).toEqual(['stt', 'gpt', 'tts', 'response']);
});

test('half of the conversations are not most', () => {
  expect(missingStepsOf(new Set(['stt', 'gpt']), ...compared(CUT, WHOLE))).toEqual([]);
});

test('a conversation of another pipeline misses nothing', () => {
  expect(missingStepsOf(new Set(['plan', 'act']), ...compared(WHOLE, WHOLE))).toEqual([]);
});

test('conversations that are not compared do not count', () => {
  const [durations] = compared(WHOLE, WHOLE, CUT);
  expect(missingStepsOf(new Set(['stt', 'gpt']), durations, new Set(['trace 2']))).toEqual([]);
  expect(missingStepsOf(new Set(['stt', 'gpt']), durations, new Set())).toEqual([]);
});
