import { newConversationId } from '@convotel/conventions';
import { randomFrom } from '@convotel/query/engine';
import { startConversation } from '@convotel/tracing';

/** One step of a generated conversation: its duration, its error if it failed, and its model usage. */
export interface PlannedStep {
  step: string;
  durationMs: number;
  errorMessage?: string;
  model?: string;
  usage?: { inputTokens: number; outputTokens: number };
  /** Its input text. */
  input?: string;
}

/** One generated conversation. */
export interface PlannedConversation {
  startUnixMs: number;
  /** Conversations with short pauses between them share a session. */
  sessionId: string;
  steps: PlannedStep[];
}

/** The generated history of the demo. */
export interface HistoryPlan {
  /** Oldest first. */
  conversations: PlannedConversation[];
  /** When the language model got faster. */
  improvedAtUnixMs: number;
}

interface PlannedFailure {
  step: string;
  /** Fraction of all conversations, 0 to 1. */
  share: number;
  errorMessage: string;
  durationMs: number;
}

const DAY_MS = 86_400_000;
const DAYS = 7;
const CONVERSATIONS_A_DAY = 57;
const SEED = 20_251_008;
/** Some conversations of the last hour are slow and some failed, so that monitoring has something to report. */
const SLOW_MINUTES_AGO = [41, 33, 24, 15, 9];
const FAILED_MINUTES_AGO = [38, 27, 19, 6];

/** Relative load of each hour of the day from midnight: a small peak before noon, a larger one in the evening. */
const WEIGHT_BY_HOUR = [1, 0, 0, 0, 0, 1, 2, 4, 7, 9, 10, 9, 7, 8, 10, 9, 8, 14, 12, 9, 7, 5, 3, 2];

/** Mean and standard deviation of each step in milliseconds, in the order in which they run. */
const USUAL_STEPS: readonly (readonly [step: string, meanMs: number, deviationMs: number])[] = [
  ['request', 150, 22],
  ['stt', 1235, 260],
  ['gpt', 3420, 640],
  ['tts', 1345, 180],
  ['response', 455, 60],
];
const MODEL_STEP = 'gpt';
const SPEECH_STEP = 'tts';
const MOST_PAUSE_MS = 15 * 60_000;
const ANSWERS = [
  'Ten minutes, starting now.',
  'Air scatters blue light more than red, so the sky that we see from below is blue.',
  'Sunny, with a light wind from the sea, and twenty degrees in the afternoon.',
  'Your next appointment is at half past three, with the dentist.',
];
/** Ratio of the language model's mean duration after the improvement to that before. */
const IMPROVED_SHARE = 0.83;
const SLOW_SHARE = 0.05;
const SLOW_FACTOR = 2.3;
const RATE_LIMIT: PlannedFailure = {
  step: MODEL_STEP,
  share: 0.05,
  errorMessage: 'API rate limit exceeded',
  durationMs: 500,
};
const FAILURES: readonly PlannedFailure[] = [
  RATE_LIMIT,
  { step: MODEL_STEP, share: 0.008, errorMessage: 'Request timed out', durationMs: 10_000 },
  { step: 'stt', share: 0.006, errorMessage: 'No speech detected', durationMs: 900 },
];

/** Generates a week of conversations that ends at `nowUnixMs`. Deterministic. */
export function planHistory(nowUnixMs: number): HistoryPlan {
  const next = randomFrom(SEED);
  const random = (): number => next() / 2 ** 32;
  const firstUnixMs = nowUnixMs - DAYS * DAY_MS;
  const improvedAtUnixMs = nowUnixMs - (DAYS * DAY_MS) / 2;
  const conversations: Omit<PlannedConversation, 'sessionId'>[] = [];
  while (conversations.length < DAYS * CONVERSATIONS_A_DAY) {
    const startUnixMs = Math.floor(firstUnixMs + random() * (DAYS * DAY_MS - 60_000));
    const weight = WEIGHT_BY_HOUR[new Date(startUnixMs).getHours()] as number;
    if (random() * Math.max(...WEIGHT_BY_HOUR) >= weight) continue;
    const failure = FAILURES.find(({ share }) => random() < share);
    conversations.push({ startUnixMs, steps: planSteps(random, startUnixMs >= improvedAtUnixMs, failure) });
  }
  for (const minutesAgo of FAILED_MINUTES_AGO) {
    conversations.push({ startUnixMs: nowUnixMs - minutesAgo * 60_000, steps: planSteps(random, true, RATE_LIMIT) });
  }
  for (const minutesAgo of SLOW_MINUTES_AGO) {
    const steps = planSteps(random, true).map(({ step, durationMs }) => ({
      step,
      durationMs: step === MODEL_STEP ? 7600 + random() * 900 : durationMs,
    }));
    conversations.push({ startUnixMs: nowUnixMs - minutesAgo * 60_000, steps });
  }
  return { conversations: withSessions(conversations), improvedAtUnixMs };
}

/** Sorts the conversations by start, and adds sessions and model usage. */
function withSessions(timed: readonly Omit<PlannedConversation, 'sessionId'>[]): PlannedConversation[] {
  let [session, exchange, lastUnixMs] = [0, 0, Number.NEGATIVE_INFINITY];
  return timed
    .toSorted((a, b) => a.startUnixMs - b.startUnixMs)
    .map(({ startUnixMs, steps }) => {
      const isNew = startUnixMs - lastUnixMs > MOST_PAUSE_MS;
      session += isNew ? 1 : 0;
      exchange = isNew ? 1 : exchange + 1;
      lastUnixMs = startUnixMs;
      const sessionId = `call-${String(session).padStart(3, '0')}`;
      return { startUnixMs, sessionId, steps: steps.map((step) => withUse(step, session, exchange)) };
    });
}

/** Adds the model and its usage to a step; tokens grow with the length of the session. */
function withUse(step: PlannedStep, session: number, exchange: number): PlannedStep {
  const answer = ANSWERS[(session + exchange) % ANSWERS.length] as string;
  if (step.step === SPEECH_STEP) return { ...step, model: 'example-voice', input: answer };
  if (step.step !== MODEL_STEP) return step;
  const model = session % 4 === 0 ? 'example-small' : 'example-large';
  // A rejected request uses no tokens.
  if (step.errorMessage !== undefined) return { ...step, model };
  return { ...step, model, usage: { inputTokens: 350 + 180 * exchange, outputTokens: Math.ceil(answer.length / 4) } };
}

function planSteps(random: () => number, isImproved: boolean, failure?: PlannedFailure): PlannedStep[] {
  const isSlow = random() < SLOW_SHARE;
  const steps: PlannedStep[] = [];
  for (const [step, meanMs, deviationMs] of USUAL_STEPS) {
    const factor = step === MODEL_STEP ? (isImproved ? IMPROVED_SHARE : 1) * (isSlow ? SLOW_FACTOR : 1) : 1;
    const durationMs = Math.max(meanMs * 0.4, meanMs + deviationMs * aboutNormal(random)) * factor;
    if (failure?.step === step) {
      steps.push({ step, durationMs: failure.durationMs, errorMessage: failure.errorMessage });
      break;
    }
    steps.push({ step, durationMs });
  }
  return steps;
}

/** Approximately a standard normal random number: the sum of twelve uniform ones, minus its mean. */
function aboutNormal(random: () => number): number {
  let sum = -6;
  for (let draw = 0; draw < 12; draw += 1) sum += random();
  return sum;
}

/** Workflow of the generated history. */
export const HISTORY_WORKFLOW = 'voice';

/** Gap between two steps, as in a real pipeline. */
const GAP_MS = 2;

/** Creates the spans of conversations in the past. Returns their ids, in the same order. */
export function recordHistory(conversations: readonly PlannedConversation[]): string[] {
  return conversations.map(({ startUnixMs, sessionId, steps }) => {
    const conversationId = newConversationId(() => new Date(startUnixMs));
    const conversation = startConversation({
      conversationId,
      sessionId,
      workflow: HISTORY_WORKFLOW,
      startTime: startUnixMs,
    });
    let timeUnixMs = startUnixMs;
    for (const { step, durationMs, errorMessage, ...used } of steps) {
      conversation.recordStep(step, {
        ...used,
        startTime: timeUnixMs,
        endTime: timeUnixMs + durationMs,
        ...(errorMessage === undefined ? {} : { error: new Error(errorMessage) }),
      });
      timeUnixMs += durationMs + GAP_MS;
    }
    conversation.end({ endTime: timeUnixMs - GAP_MS });
    return conversationId;
  });
}
