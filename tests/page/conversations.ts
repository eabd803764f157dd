import type { SpanRecord } from '@convotel/query';
import { rootSpan, stepSpan } from '@convotel/suite';
import type { SpanFacts } from '@convotel/suite';

/** One step of a planned conversation, by its place on the conversation's axis. */
export interface PlannedStep extends Partial<SpanRecord> {
  step: string;
  atMs: number;
  ms: number;
}

/** A conversation of a test. */
export interface PlannedConversation {
  id: string;
  startUnixMs: number;
  steps: readonly PlannedStep[];
  outcome?: SpanRecord['outcome'];
  /** False: its root has not arrived. */
  hasEnded?: boolean;
  facts?: Partial<SpanFacts>;
}

/** The spans of `conversation`, the root last. */
export function spansOf(conversation: PlannedConversation): SpanRecord[] {
  const { id, startUnixMs, steps, outcome = 'completed', hasEnded = true, facts = {} } = conversation;
  const at = (ms: number): string => new Date(startUnixMs + ms).toISOString();
  const spans = steps.map(({ step, atMs, ms, ...own }) =>
    stepSpan(step, { id, start: at(atMs), ms, ...facts, ...own }),
  );
  if (!hasEnded) return spans;
  const ms = Math.max(...steps.map((step) => step.atMs + step.ms), 1);
  return [...spans, rootSpan({ id, start: at(0), ms, outcome, ...facts })];
}

/** The usual five steps one after the other; the model takes `modelMs`. */
export function usualSteps(modelMs: number): PlannedStep[] {
  return [
    { step: 'request', atMs: 0, ms: 150 },
    { step: 'stt', atMs: 150, ms: 1200 },
    { step: 'gpt', atMs: 1350, ms: modelMs },
    { step: 'tts', atMs: 1350 + modelMs, ms: 1300 },
    { step: 'response', atMs: 2650 + modelMs, ms: 450 },
  ];
}

/** The usual steps as one of two models did them, and what they used. */
function usualStepsOf(index: number): PlannedStep[] {
  const used: Readonly<Record<string, Partial<SpanRecord>>> = {
    gpt: {
      model: index % 4 === 0 ? 'large-1' : 'small-1',
      provider: 'example',
      inputTokens: 300 + index,
      outputTokens: 80 + index,
      timeToFirstOutputSeconds: 0.4 + index / 100,
    },
    tts: { model: 'voice-1', provider: 'example', inputChars: 320 + index },
  };
  return usualSteps(3000 + index * 10).map((step) => ({ ...step, ...used[step.step] }));
}

/** Forty usual conversations in the hour before `nowUnixMs`, and some that are not. */
export function knownConversations(nowUnixMs: number): PlannedConversation[] {
  const usual = Array.from({ length: 40 }, (_, index): PlannedConversation => ({
    id: `usual-${index}`,
    startUnixMs: nowUnixMs - 60_000 * (index + 10),
    steps: usualStepsOf(index),
    facts: {
      workflow: 'voice',
      serviceName: 'assistant',
      ...(index < 6 && { sessionId: index % 2 === 0 ? 'call-8' : 'call-9' }),
    },
  }));
  return [
    ...usual,
    {
      id: 'slow-one',
      startUnixMs: nowUnixMs - 8 * 60_000,
      facts: { workflow: 'voice', serviceName: 'assistant' },
      steps: [
        { step: 'request', atMs: 0, ms: 310 },
        { step: 'stt', atMs: 330, ms: 600, outcome: 'timed_out', errorType: 'ETIMEDOUT', errorMessage: 'no answer' },
        { step: 'stt', atMs: 950, ms: 390, attempt: 2 },
        { step: 'gpt', atMs: 2240, ms: 9000, timeToFirstOutputSeconds: 1.74, inputChars: 1640, outputChars: 388 },
        { step: 'tool.search', atMs: 2600, ms: 6000, depth: 1 },
        { step: 'tts', atMs: 8000, ms: 4000 },
        { step: 'response', atMs: 8200, ms: 5000 },
      ],
    },
    {
      id: 'failed-one',
      startUnixMs: nowUnixMs - 6 * 60_000,
      outcome: 'failed',
      facts: { workflow: 'voice', serviceName: 'assistant', sessionId: 'call-7' },
      steps: [
        { step: 'request', atMs: 0, ms: 150 },
        { step: 'stt', atMs: 150, ms: 1200 },
        {
          step: 'gpt',
          atMs: 1350,
          ms: 500,
          outcome: 'failed',
          errorType: 'rate_limit_exceeded',
          errorMessage: 'API rate limit exceeded',
        },
      ],
    },
    {
      id: 'interrupted-one',
      startUnixMs: nowUnixMs - 5 * 60_000,
      outcome: 'interrupted',
      facts: { workflow: 'chat', serviceName: 'assistant' },
      steps: [{ step: 'gpt', atMs: 0, ms: 2000, outcome: 'interrupted' }],
    },
    {
      id: 'open-one',
      startUnixMs: nowUnixMs - 20_000,
      hasEnded: false,
      facts: { workflow: 'voice', serviceName: 'assistant' },
      steps: usualSteps(3000).slice(0, 2),
    },
  ];
}
