import { FAILURE_OUTCOMES, OUTCOMES, traceIdOf, UNKNOWN_ERROR_TYPE } from '@convotel/conventions';
import type { Outcome } from '@convotel/conventions';
import type { SpanRecord, SpanRest } from '@convotel/query';
import { ODD_TEXTS } from './odd-texts.ts';
import type { SeededRandom } from './seeded-random.ts';

const NANO_PER_MS = 1_000_000;

/** What is unusual about the conversations of a data set. */
export interface Traits {
  /** How many conversations: up to this many. */
  conversations: number;
  steps: readonly string[];
  /** Probabilities between 0 and 1. */
  failed: number;
  retried: number;
  nested: number;
  parallel: number;
  interrupted: number;
  tooLong: number;
  withoutRoot: number;
  withoutFirstStep: number;
  withoutSteps: number;
  secondRoot: number;
  /** The id of the conversation is used again: a root with the same ids at another time. */
  reusedId: number;
  /** A root of another framework: named and with an id like ours, without a version of the schema. */
  foreignRoot: number;
  /** Steps say when their first output came, in how many chunks, and what the user waited for. */
  streamed: number;
  copied: number;
  steppedBack: number;
  oddTexts: number;
  foreignSpans: number;
  foreignTraces: number;
  foreignId: number;
  contradictingId: number;
  sharedId: number;
  sampled: number;
  /** Spans and resources have attributes of the program's own. */
  attributed: number;
  /** Starts and durations in coarse steps, so that many are equal. */
  ties: number;
}

/** Nothing unusual. */
export const USUAL: Traits = {
  conversations: 12,
  steps: ['request', 'stt', 'gpt', 'tts', 'response'],
  failed: 0.05,
  retried: 0.03,
  nested: 0.05,
  parallel: 0.03,
  interrupted: 0.03,
  tooLong: 0.02,
  withoutRoot: 0.05,
  withoutFirstStep: 0.02,
  withoutSteps: 0.02,
  secondRoot: 0.01,
  reusedId: 0.02,
  foreignRoot: 0.03,
  streamed: 0.3,
  copied: 0.03,
  steppedBack: 0.02,
  oddTexts: 0.05,
  foreignSpans: 0.1,
  foreignTraces: 0.05,
  foreignId: 0.1,
  contradictingId: 0.01,
  sharedId: 0.02,
  sampled: 0.02,
  attributed: 0.2,
  ties: 0.1,
};

/** Where and when the conversations of a data set take place. */
export interface Scene {
  random: SeededRandom;
  traits: Traits;
  /** Stands in every conversation id, so that two data sets share none. */
  prefix: string;
  /** Conversations start within {@link Scene.spreadMs} after it. */
  startUnixNano: bigint;
  spreadMs: number;
}

/** The spans of one data set in the order of delivery, copies among them. */
export function generateSpans(scene: Scene): SpanRecord[] {
  const { random, traits } = scene;
  const spans: SpanRecord[] = [];
  let earlierId: string | undefined;
  for (let index = 0; index < traits.conversations; index++) {
    const isShared = earlierId !== undefined && random.chance(traits.sharedId);
    const oddity = random.chance(traits.oddTexts) ? random.pick(ODD_TEXTS).slice(0, 100) : '';
    const conversationId = isShared ? earlierId! : `${scene.prefix}-${index}${oddity}`;
    spans.push(...new ConversationWriter(scene, conversationId, isShared).write());
    earlierId = conversationId;
  }
  const delivered = spans.flatMap((span) => (random.chance(traits.copied) ? [span, copyOf(span, random)] : [span]));
  return random.chance(0.5) ? shuffled(delivered, random) : delivered;
}

/** Writes the spans of one conversation. */
class ConversationWriter {
  readonly #random: SeededRandom;
  readonly #traits: Traits;
  readonly #isTied: boolean;
  readonly #shared: Pick<SpanRecord, 'traceId' | 'conversationId' | 'sessionId' | 'samplingRatio'>;
  readonly #startUnixNano: bigint;
  readonly #rootSpanId: string;
  readonly #services: readonly string[];
  readonly #spans: SpanRecord[] = [];

  constructor({ random, traits, startUnixNano, spreadMs }: Scene, conversationId: string, isShared: boolean) {
    this.#random = random;
    this.#traits = traits;
    this.#isTied = random.chance(traits.ties);
    const isForeignId = isShared || random.chance(traits.foreignId);
    this.#shared = {
      traceId: isForeignId ? random.hex(32) : traceIdOf(conversationId),
      conversationId,
      ...(random.chance(0.4) && { sessionId: this.#text(['caller-1', 'caller-2']) }),
      ...(random.chance(traits.sampled) && { samplingRatio: random.pick([0.1, 0.25, 1]) }),
    };
    const offsetMs = this.#isTied ? random.whole(0, 3) * 900_000 : random.next() * spreadMs;
    this.#startUnixNano = startUnixNano + BigInt(Math.floor(offsetMs * NANO_PER_MS));
    this.#rootSpanId = random.hex(16);
    this.#services = random.chance(0.2) ? ['voice-bot', 'speech'] : [random.pick(['voice-bot', 'chat-bot'])];
  }

  write(): SpanRecord[] {
    const { chance, pick } = this.#random;
    const traits = this.#traits;
    if (chance(traits.foreignTraces)) {
      this.#addForeign(this.#startUnixNano, undefined);
      return this.#spans;
    }
    const end = chance(traits.withoutSteps) ? this.#startUnixNano : this.#writeSteps();
    const hasRoot = this.#spans.length === 0 || !chance(traits.withoutRoot);
    if (hasRoot) this.#addRoot(this.#rootSpanId, end);
    if (chance(traits.secondRoot)) this.#addRoot(this.#random.hex(16), end + BigInt(pick([-1, 0, 1])));
    if (chance(traits.reusedId))
      this.#addRoot(this.#rootSpanId, end + BigInt(this.#random.whole(1, 60_000) * NANO_PER_MS));
    if (chance(traits.foreignRoot)) this.#addForeignRoot(end);
    return this.#spans;
  }

  /** Returns the end of the last step. */
  #writeSteps(): bigint {
    const { chance, whole } = this.#random;
    const traits = this.#traits;
    const steps = chance(traits.withoutFirstStep) ? traits.steps.slice(1) : traits.steps;
    const last = chance(traits.failed) ? whole(0, steps.length - 1) : steps.length;
    let now = this.#startUnixNano;
    for (const [index, step] of steps.entries()) {
      const durationNano = this.#durationNano();
      if (chance(traits.nested)) this.#addNested(step, now, durationNano);
      if (chance(traits.foreignSpans)) this.#addForeign(now, this.#rootSpanId);
      if (chance(traits.retried)) {
        now = this.#writeAttempts(step, now, durationNano);
      } else if (index === last) {
        this.#addStep(step, now, durationNano, { outcome: this.#random.pick(FAILURE_OUTCOMES), ...this.#error() });
        return now + durationNano;
      } else if (chance(traits.interrupted)) {
        this.#addStep(step, now, durationNano, { outcome: 'interrupted' });
      } else {
        this.#addStep(step, now, durationNano, {});
      }
      if (!chance(traits.parallel)) now += durationNano;
      if (chance(traits.steppedBack)) now -= BigInt(whole(1, 90_000) * NANO_PER_MS);
    }
    return now;
  }

  /** Attempts that may overlap, end well although they are retried, or have no predecessor. Returns the last start. */
  #writeAttempts(step: string, start: bigint, durationNano: bigint): bigint {
    const { chance, pick, whole } = this.#random;
    let now = start;
    let attempt = chance(0.9) ? 1 : 2;
    for (let left = whole(2, 5); left > 0; left -= 1) {
      const outcome = left === 1 && chance(0.8) ? 'completed' : pick(OUTCOMES);
      this.#addStep(step, now, durationNano, {
        outcome,
        ...(FAILURE_OUTCOMES.includes(outcome) && this.#error()),
        ...(attempt > 1 && { attempt }),
      });
      if (left > 1 && chance(0.9)) now += chance(0.7) ? durationNano : durationNano / 3n;
      if (chance(0.85)) attempt += 1;
    }
    return now;
  }

  #addNested(parent: string, start: bigint, durationNano: bigint): void {
    const parentSpanId = this.#random.hex(16);
    this.#addStep(parent, start, durationNano, { spanId: parentSpanId });
    this.#addStep(`${parent}.tool`, start, durationNano / 2n, { parentSpanId, depth: 1 });
    if (this.#random.chance(0.3)) this.#addStep('lookup', start + 5n, durationNano / 4n, { parentSpanId, depth: 2 });
  }

  #addStep(step: string, startTimeUnixNano: bigint, durationNano: bigint, facts: Partial<SpanRecord>): void {
    const { chance, whole, next } = this.#random;
    const name = this.#text([step]);
    this.#spans.push({
      ...this.#common(startTimeUnixNano, durationNano),
      parentSpanId: this.#rootSpanId,
      name,
      step: name,
      role: 'step',
      ...(chance(0.5) && { inputChars: whole(0, 5000), outputChars: whole(0, 5000) }),
      ...(chance(0.3) && { inputText: this.#text(['<audio_data>', '']), outputText: this.#text(['Tell me a story']) }),
      ...(chance(this.#traits.streamed) && { timeToFirstOutputSeconds: next(), chunks: whole(0, 500) }),
      ...(chance(this.#traits.streamed) && { responseLatencySeconds: this.#latencySeconds() }),
      ...(chance(0.2) && { workflow: this.#text(['voice', 'chat']) }),
      ...(chance(0.2) && { provider: this.#text(['openai', 'anthropic']), model: this.#text(['gpt-4o', 'small']) }),
      ...(chance(0.2) && { inputTokens: whole(0, 9000), outputTokens: whole(0, 9000) }),
      // In quarters, whose sums are exact in any order.
      ...(chance(0.2) && { audioSeconds: whole(0, 400) / 4 }),
      ...(chance(0.1) && { timeoutSeconds: whole(1, 60) }),
      ...(chance(0.3) && {
        timingsSeconds: { [this.#timingPart()]: next() * 3, busy_wait: next() },
      }),
      ...facts,
    });
  }

  #addRoot(spanId: string, end: bigint): void {
    const { chance, pick, whole } = this.#random;
    const lateMs = this.#isTied ? 0 : whole(-2_000, 2_000);
    const start = this.#startUnixNano - BigInt(this.#isTied ? 0 : whole(-1_000, 1_000) * NANO_PER_MS);
    const duration = end - start + BigInt(lateMs * NANO_PER_MS);
    const outcome: Outcome = chance(0.7) ? 'completed' : pick(OUTCOMES);
    this.#spans.push({
      ...this.#common(start, duration > 0n ? duration : 0n),
      spanId,
      name: 'conversation',
      role: 'root',
      outcome,
      conversationId: this.#shared.conversationId!,
      ...(chance(0.7) && { workflow: this.#text(['voice', 'chat']) }),
      ...(chance(this.#traits.streamed) && { responseLatencySeconds: this.#latencySeconds() }),
      ...(outcome !== 'completed' && outcome !== 'interrupted' && this.#error()),
    });
  }

  #addForeign(startTimeUnixNano: bigint, parentSpanId: string | undefined): void {
    const { conversationId: _id, ...span } = this.#common(startTimeUnixNano, this.#durationNano());
    this.#spans.push({
      ...span,
      name: this.#text(['GET', 'request', 'SELECT']),
      role: 'other',
      ...(this.#random.chance(0.3) && { outcome: 'failed', errorType: '500' }),
      ...(parentSpanId !== undefined && { parentSpanId }),
    });
  }

  #addForeignRoot(end: bigint): void {
    const common = this.#common(this.#startUnixNano, end > this.#startUnixNano ? end - this.#startUnixNano : 0n);
    this.#spans.push({
      ...common,
      name: 'conversation',
      role: 'other',
      ...(this.#random.chance(0.3) && { outcome: 'failed' }),
    });
  }

  /** Of two equal ones, one must be chosen. */
  #latencySeconds(): number {
    return this.#isTied ? this.#random.whole(0, 2) / 2 : this.#random.next() * 3;
  }

  #common(startTimeUnixNano: bigint, durationNano: bigint): Omit<SpanRecord, 'name' | 'role'> {
    const { chance, hex, pick } = this.#random;
    const { conversationId, ...shared } = this.#shared;
    const id = chance(this.#traits.contradictingId) ? `${conversationId}-other` : conversationId!;
    return {
      ...shared,
      ...(chance(0.9) && { conversationId: id }),
      spanId: hex(16),
      startTimeUnixNano,
      durationNano,
      depth: 0,
      outcome: 'completed',
      isRecovered: false,
      ...(chance(0.95) && { serviceName: pick(this.#services) }),
      ...(chance(this.#traits.attributed) && { rest: this.#rest() }),
    };
  }

  /** Attributes of the program's own, of any kind that groups are made by. */
  #rest(): SpanRest {
    const { chance, pick, whole } = this.#random;
    const attribute = (key: string, ...usual: string[]): { key: string; value: object } => ({
      key,
      value: pick([
        { stringValue: this.#text(usual) },
        { stringValue: pick([...usual, '']) },
        { intValue: String(whole(-2, 2)) },
        { boolValue: chance(0.5) },
        { doubleValue: whole(0, 3) + 0.5 },
      ]),
    });
    return {
      ...(chance(0.6) && { attributes: [attribute('other', 'a'), attribute('tenant', 'acme', 'initech')] }),
      ...(chance(0.6) && { resourceAttributes: [attribute('service.version', '1.4', '1.5')] }),
      ...(chance(0.1) && { resourceAttributes: [attribute('tenant', 'acme', 'umbrella')] }),
    };
  }

  #error(): Partial<SpanRecord> {
    const { chance, pick } = this.#random;
    return {
      ...(chance(0.9) && { errorType: pick(['RateLimitError', '429', UNKNOWN_ERROR_TYPE]) }),
      ...(chance(0.8) && { errorMessage: this.#errorMessage() }),
    };
  }

  /** Messages that differ from one failure to the next in ids, numbers, quotes, addresses. */
  #errorMessage(): string {
    const { hex, whole, pick } = this.#random;
    const usual = this.#text(['API rate limit exceeded', 'socket hang up', "can't connect, it's down"]);
    return pick([
      usual,
      usual,
      `request req_${hex(12)} took ${whole(1, 9)}.${whole(0, 99)}s of ${whole(1, 9)},000 ms`,
      `GET https://api.example.com/v1/${hex(8)}?at=${whole(0, 9)}: ${pick(['503', '504'])}`,
      `no user "${hex(3)}" <${hex(4)}@example.org> at 2025-10-0${whole(1, 9)}T12:${whole(10, 59)}:00Z`,
      `trace ${hex(8)}-${hex(4)}-${hex(4)}-${hex(4)}-${hex(12)} / deadbeef / ${hex(9)} / 'it''s' / \`${hex(2)}\``,
    ]);
  }

  #durationNano(): bigint {
    const { chance, whole, next } = this.#random;
    if (chance(this.#traits.tooLong)) return BigInt(whole(60_000, 200_000) * NANO_PER_MS);
    if (this.#isTied) return BigInt(whole(0, 2) * 500 * NANO_PER_MS);
    return BigInt(Math.floor(next() * 4_000 * NANO_PER_MS));
  }

  /** Readers take no part named `__proto__`, which is no field of a JavaScript object. */
  #timingPart(): string {
    const part = this.#text(['queue_wait', 'generation']);
    return part === '__proto__' ? 'queue_wait' : part;
  }

  #text(usual: readonly string[]): string {
    return this.#random.chance(this.#traits.oddTexts) ? this.#random.pick(ODD_TEXTS) : this.#random.pick(usual);
  }
}

/** A second delivery of `span` that differs by end, recovered, or nothing. */
function copyOf(span: SpanRecord, random: SeededRandom): SpanRecord {
  // Only failures have a message.
  const { errorMessage: _message, ...withoutMessage } = span;
  const lengthened = span.durationNano + BigInt(random.whole(-50, 50) * NANO_PER_MS);
  return random.pick([
    span,
    { ...span, durationNano: lengthened > 0n ? lengthened : 0n },
    { ...span, isRecovered: true },
    { ...span, isRecovered: true, outcome: 'abandoned' as const, errorType: 'abandoned' },
    { ...withoutMessage, outcome: 'interrupted' as const },
    { ...span, startTimeUnixNano: span.startTimeUnixNano - 7_000_000n, durationNano: span.durationNano + 7_000_000n },
  ]);
}

function shuffled<Item>(items: readonly Item[], random: SeededRandom): Item[] {
  return items
    .map((item) => ({ item, rank: random.next() }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ item }) => item);
}
