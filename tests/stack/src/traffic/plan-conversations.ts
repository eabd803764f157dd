import { randomFrom } from '@convotel/query/engine';
import type { Outcome } from '@convotel/conventions';

/** One step that shall have happened. All times are whole halves of a millisecond, so that they stay exact. */
export interface PlannedStep {
  step: string;
  startUnixMs: number;
  durationMs: number;
  outcome: Outcome;
  /** Present where the step did not complete. */
  error?: { name: string; message: string };
  attempt?: number;
  timingsSeconds?: Record<string, number>;
  timeToFirstOutputSeconds?: number;
  inputText?: string;
  outputText?: string;
}

/** One conversation that shall have happened. */
export interface PlannedConversation {
  conversationId: string;
  workflow: string;
  sessionId?: string;
  startUnixMs: number;
  endUnixMs: number;
  /** `open`: its root never arrives. */
  outcome: Outcome | 'open';
  steps: PlannedStep[];
  /** A span of another instrumentation below the root. */
  foreignSpan?: { name: string; startUnixMs: number; durationMs: number };
}

/** What is planned; the same for the same values. */
export interface PlanOptions {
  /** Begins every conversation id, so that two plans do not share one. */
  prefix: string;
  seed: number;
  count: number;
  /** Start of the first conversation, whole milliseconds. */
  firstStartUnixMs: number;
  /** From one conversation's start to the next one's. @defaultValue `5000` */
  spacingMs?: number;
}

/** What can go otherwise than well, with its share of all conversations. */
const INCIDENTS = [
  ['rate limit', 0.05],
  ['retried', 0.04],
  ['timed out', 0.02],
  ['spoken over', 0.03],
  ['over a minute', 0.01],
  ['no root', 0.01],
] as const;

const RATE_LIMIT = { name: 'RateLimitError', message: 'API rate limit exceeded' };
const TIMEOUT = { name: 'TimeoutError', message: 'No answer within 10 s' };
const INTERRUPTION = { name: 'AbortError', message: 'Somebody spoke' };
const TEXTS = ['Tell me a story', 'Wie spät ist es?', '今日の天気は', 'A "quoted" 🤖 line\nand another'];

/** Plans conversations of a voice assistant: mostly well, some in each way that analytics tell apart. */
export function planConversations(options: PlanOptions): PlannedConversation[] {
  const random = numbersFrom(options.seed);
  const { prefix, count, firstStartUnixMs, spacingMs = 5000 } = options;
  return Array.from({ length: count }, (_, index) => {
    const startUnixMs = firstStartUnixMs + index * spacingMs + Math.floor(random() * 1000);
    return planConversation(`${prefix}_${index}`, startUnixMs, random);
  });
}

function planConversation(conversationId: string, startUnixMs: number, random: () => number): PlannedConversation {
  const incident = chooseIncident(random());
  const steps: PlannedStep[] = [];
  let timeUnixMs = startUnixMs;
  const add = (step: string, meanMs: number, more: Partial<PlannedStep> = {}): void => {
    const durationMs = more.durationMs ?? halves(meanMs * (0.4 + 1.2 * random()));
    steps.push({ step, startUnixMs: timeUnixMs, outcome: 'completed', ...more, durationMs });
    timeUnixMs += durationMs + 10;
  };
  const text = TEXTS[Math.floor(random() * TEXTS.length)]!;

  add('request', 150);
  if (incident === 'timed out') add('stt', 1200, { outcome: 'timed_out', error: TIMEOUT });
  else add('stt', 1200, { outputText: text });
  if (incident !== 'timed out') planAnswer();

  function planAnswer(): void {
    if (incident === 'rate limit' || incident === 'retried') {
      add('gpt', 500, { outcome: 'failed', error: RATE_LIMIT, inputText: text });
    }
    if (incident === 'rate limit') return;
    if (random() < 0.1) {
      // Beside the model, not before it; never at once with it, since chance would decide which comes first.
      steps.push({ step: 'moderation', startUnixMs: timeUnixMs + 0.5, durationMs: 60.5, outcome: 'completed' });
    }
    add('gpt', 3400, {
      inputText: text,
      outputText: `${text}!`,
      timeToFirstOutputSeconds: 0.25,
      ...(incident === 'retried' && { attempt: 2 }),
      ...(incident === 'over a minute' && { durationMs: 60_000 + halves(random() * 5000) }),
      ...(random() < 0.3 && { timingsSeconds: { queue_wait: 0.125, generation: 1.5 } }),
    });
    if (incident === 'spoken over') {
      add('tts', 700, { outcome: 'interrupted', error: INTERRUPTION });
      return;
    }
    add('tts', 1300);
    add('response', 450);
  }

  return {
    conversationId,
    workflow: random() < 0.8 ? 'voice' : 'chat',
    ...(random() < 0.5 && { sessionId: `session ${Math.floor(random() * 20)}` }),
    startUnixMs,
    endUnixMs: timeUnixMs - 10,
    outcome: incident === 'no root' ? 'open' : steps.at(-1)!.outcome,
    steps,
    ...(random() < 0.1 && { foreignSpan: { name: 'GET /weather', startUnixMs: startUnixMs + 5, durationMs: 40 } }),
  };
}

function chooseIncident(chance: number): string | undefined {
  let sum = 0;
  return INCIDENTS.find(([, share]) => chance < (sum += share))?.[0];
}

function halves(durationMs: number): number {
  return Math.round(durationMs * 2) / 2;
}

/** Numbers from 0 to below 1 that are the same for the same seed. */
function numbersFrom(seed: number): () => number {
  const next = randomFrom(seed);
  return () => next() / 2 ** 32;
}
