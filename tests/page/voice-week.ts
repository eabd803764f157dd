import { seededRandom } from '@convotel/suite';
import type { PlannedConversation, PlannedStep } from './conversations.ts';

const SEED = 20_261_008;
const DAY_MS = 86_400_000;
const DAYS = 14;
const A_DAY = 90;
/** How busy each hour of the day is, from midnight on. */
const WEIGHT_BY_HOUR = [1, 0, 0, 0, 0, 1, 2, 4, 7, 9, 10, 9, 7, 8, 10, 9, 8, 12, 11, 9, 7, 5, 3, 2];

/** The conversation that the pictures open: a search that took long, after a transcription that had to be made twice. */
export const PICTURED_ID = '20251008_143048_i9j0k1l2';

/** The session that it belongs to. */
export const PICTURED_SESSION = 'call-7f3a';

const PICTURED_FACTS = { workflow: 'voice', serviceName: 'assistant', sessionId: PICTURED_SESSION };

/** What the pictures' server was told: made-up prices. */
export const PICTURED_SETTINGS = {
  currency: 'EUR',
  prices: {
    'example-model-1': { inputPerMillionTokens: 0.4, outputPerMillionTokens: 1.6 },
    'example-model-1-large': { inputPerMillionTokens: 2, outputPerMillionTokens: 8 },
    'example-voice-2': { perMillionCharacters: 15 },
  },
};

/** Two weeks of a voice assistant that streams, of which the second is faster. The same for the same `nowUnixMs`. */
export function voiceWeeks(nowUnixMs: number): PlannedConversation[] {
  const random = seededRandom(SEED);
  const next = (): number => random.next();
  const around = (mean: number, spread: number): number =>
    Math.max(mean * 0.3, mean + spread * (next() + next() + next() - 1.5));
  const planned: PlannedConversation[] = [];
  while (planned.length < DAYS * A_DAY) {
    const startUnixMs = Math.floor(nowUnixMs - 120_000 - next() * DAYS * DAY_MS);
    const weight = WEIGHT_BY_HOUR[new Date(startUnixMs).getUTCHours()]!;
    if (next() * 12 >= weight) continue;
    const isFaster = nowUnixMs - startUnixMs < (DAYS * DAY_MS) / 2;
    const isLarge = next() < 0.25;
    const modelMs = around(2600, 900) * (isFaster ? 0.84 : 1) * (isLarge ? 1.35 : 1) * (next() < 0.05 ? 2.4 : 1);
    const session = `call-${Math.floor(next() * 400)
      .toString(16)
      .padStart(4, '7')}`;
    const id = `${new Date(startUnixMs).toISOString().slice(0, 19).replace(/[-:]/g, '').replace('T', '_')}_${Math.floor(
      next() * 0xffff_ffff,
    )
      .toString(16)
      .padStart(8, '0')}`;
    const facts = { workflow: 'voice', serviceName: 'assistant', sessionId: session };
    const failure = next();
    if (failure < 0.035)
      planned.push({ id, startUnixMs, facts, outcome: 'failed', steps: failedSteps(around(900, 300)) });
    else if (failure < 0.06)
      planned.push({ id, startUnixMs, facts, outcome: 'interrupted', steps: interruptedSteps(around(900, 300)) });
    else
      planned.push({
        id,
        startUnixMs,
        facts,
        steps: streamedSteps(around(820, 300), modelMs, around(620, 260), isLarge),
      });
  }
  const session = [-5, -4, -3, -2, -1, 1, 2].map((place): PlannedConversation => ({
    id: `20251008_1430${20 + place * 3}_call7f3a`,
    startUnixMs: nowUnixMs - 9 * 60_000 + place * 45_000,
    facts: PICTURED_FACTS,
    steps: streamedSteps(around(820, 300), around(2200, 700), around(620, 200)),
  }));
  return [...planned, ...session, pictured(nowUnixMs)];
}

function streamedSteps(sttMs: number, modelMs: number, firstTokenMs: number, isLarge = false): PlannedStep[] {
  const outputTokens = Math.round(modelMs / 28);
  const model = 320 + sttMs;
  const speech = model + Math.min(firstTokenMs + 420, modelMs);
  return [
    { step: 'request', atMs: 0, ms: 310 },
    { step: 'stt', atMs: 315, ms: Math.round(sttMs) },
    {
      step: 'gpt',
      atMs: Math.round(model),
      ms: Math.round(modelMs),
      timeToFirstOutputSeconds: Math.min(firstTokenMs, modelMs) / 1000,
      provider: 'example',
      model: isLarge ? 'example-model-1-large' : 'example-model-1',
      inputTokens: 380 + Math.round(sttMs / 9),
      outputTokens,
    },
    {
      step: 'tts',
      atMs: Math.round(speech),
      ms: Math.round(modelMs * 0.8),
      timeToFirstOutputSeconds: 0.11,
      provider: 'example',
      model: 'example-voice-2',
      inputChars: outputTokens * 4,
    },
    {
      step: 'response',
      atMs: Math.round(speech + 120),
      ms: Math.round(modelMs * 0.95 + 400),
      responseLatencySeconds: (speech + 120 - 310) / 1000,
    },
  ];
}

function failedSteps(sttMs: number): PlannedStep[] {
  return [
    { step: 'request', atMs: 0, ms: 310 },
    { step: 'stt', atMs: 315, ms: Math.round(sttMs) },
    {
      step: 'gpt',
      atMs: Math.round(320 + sttMs),
      ms: 480,
      outcome: 'failed',
      errorType: 'rate_limit_exceeded',
      errorMessage: 'API rate limit exceeded',
    },
  ];
}

function interruptedSteps(sttMs: number): PlannedStep[] {
  return streamedSteps(sttMs, 2400, 600).map((step) =>
    step.step === 'response' ? { ...step, ms: 700, outcome: 'interrupted' } : step,
  );
}

function pictured(nowUnixMs: number): PlannedConversation {
  return {
    id: PICTURED_ID,
    startUnixMs: nowUnixMs - 9 * 60_000,
    facts: PICTURED_FACTS,
    steps: [
      { step: 'request', atMs: 0, ms: 310 },
      {
        step: 'stt',
        atMs: 330,
        ms: 600,
        outcome: 'timed_out',
        errorType: 'ETIMEDOUT',
        errorMessage: 'no answer in 600 ms',
      },
      {
        step: 'stt',
        atMs: 950,
        ms: 390,
        attempt: 2,
        outputText: 'Which trains go to Leipzig tonight?',
        outputChars: 35,
      },
      {
        step: 'gpt',
        atMs: 1720,
        ms: 6840,
        timeToFirstOutputSeconds: 3.74,
        provider: 'example',
        model: 'example-model-1',
        inputTokens: 412,
        outputTokens: 96,
        inputText: 'Which trains go to Leipzig tonight?',
        inputChars: 35,
        outputText: 'There are three: at 18:32, 19:32 and 21:04. The last one takes half an hour longer.',
        outputChars: 84,
      },
      { step: 'tool.timetable', atMs: 2600, ms: 2350, depth: 1 },
      { step: 'tts', atMs: 5720, ms: 3300, timeToFirstOutputSeconds: 0.11 },
      { step: 'response', atMs: 5840, ms: 4900, responseLatencySeconds: 5.53 },
    ],
  };
}
