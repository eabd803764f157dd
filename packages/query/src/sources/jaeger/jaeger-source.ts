import { traceIdOf } from '@convotel/conventions';
import { MemorySource } from '../../engines/memory/memory-source.ts';
import type { ConversationRecord, Window } from '../../model/conversation.ts';
import { withWarning } from '../../model/coverage.ts';
import type { Answer } from '../../model/coverage.ts';
import type { SpanRecord } from '../../model/span-record.ts';
import type {
  AnyQuestion,
  ConversationSource,
  ConversationSpans,
  Question,
  QuestionName,
  Questions,
} from '../../questions.ts';
import { formatInstant } from '../../time/instant.ts';
import { JaegerClient, resolveJaegerOptions } from './jaeger-client.ts';
import type { JaegerSettings, JaegerSourceOptions } from './jaeger-client.ts';
import { JaegerReader } from './jaeger-reader.ts';
import type { WindowReading } from './read-window.ts';

/** Tolerance for clocks of other machines that run ahead. */
const AHEAD_NANO = 3_600_000_000_000n;

const UNITS: readonly [name: string, ms: number][] = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
];

/** A time range from some time ago until now. */
export interface LookBack {
  window: Window;
  /** How far back it reaches, for messages; undefined if it covers everything. */
  limit?: string;
}

/** The time ranges to look back over, shortest first; each contains the previous ones. */
export function lookBacks(now: Date, lookBackMs: readonly number[]): LookBack[] {
  const nowUnixNano = BigInt(now.getTime()) * 1_000_000n;
  const untilUnixNano = nowUnixNano + AHEAD_NANO;
  return lookBackMs.map((ms) => {
    const sinceUnixNano = Number.isFinite(ms) ? nowUnixNano - BigInt(Math.round(ms)) * 1_000_000n : 0n;
    if (sinceUnixNano <= 0n) return { window: { sinceUnixNano: 0n, untilUnixNano } };
    return {
      window: { sinceUnixNano, untilUnixNano },
      limit: `${durationText(ms)}, back to ${formatInstant(sinceUnixNano, 0)}`,
    };
  });
}

function durationText(ms: number): string {
  const [name, unitMs] = UNITS.find(([, unit]) => ms >= unit && ms % unit === 0) ?? ['second', 1000];
  const count = ms / unitMs;
  return `${count} ${name}${count === 1 ? '' : 's'}`;
}

/**
 * Warns of conversations without a root that have a step that ended less than `settleMs` before `now`: they may still
 * be running, or their spans may not have been stored yet. Undefined if there is none.
 */
export function unsettledWarning(
  spans: readonly SpanRecord[],
  window: Window,
  now: Date,
  settleMs: number,
): string | undefined {
  const edgeUnixNano = BigInt(now.getTime() - Math.round(settleMs)) * 1_000_000n;
  if (window.untilUnixNano <= edgeUnixNano) return undefined;
  const unsettled = new Set<string>();
  for (const { role, traceId, startTimeUnixNano, durationNano } of spans) {
    if (role === 'step' && startTimeUnixNano + durationNano > edgeUnixNano) unsettled.add(traceId);
  }
  if (unsettled.size === 0) return undefined;
  for (const { role, traceId } of spans) {
    if (role === 'root') unsettled.delete(traceId);
  }
  if (unsettled.size === 0) return undefined;
  const which = unsettled.size === 1 ? '1 conversation was' : `${unsettled.size} conversations were`;
  return `${which} active less than ${settleMs / 1000} s ago, and may be incomplete.`;
}

const TRACE_ID = /^[0-9a-f]{32}$/i;

/**
 * Answers from a Jaeger 2 over HTTP. Jaeger can find traces but not count or sort them, so all traces of the window are
 * read, without texts, and the answer is computed by {@link MemorySource}. What was read is cached for ten seconds.
 *
 * A conversation whose trace id is derived from its id takes one look-up. For any other, and if a question has no
 * window, the last hour, day, week and month are read one after another until there are enough results; if there are
 * not, coverage says how far back was read. With a filter for a service, a conversation is found only if the service
 * has a span in it within an hour of the window.
 */
export class JaegerSource implements ConversationSource {
  readonly kind = 'jaeger';
  readonly location: string;
  readonly #settings: JaegerSettings;
  readonly #reader: JaegerReader;
  readonly #sources = new WeakMap<WindowReading, MemorySource>();

  /**
   * @param address Address of the query service, such as `http://127.0.0.1:16686`; with a path, or name and password,
   * if
   *   needed.
   * @throws `QueryError` `OPTION_OUT_OF_RANGE`
   */
  constructor(address: string, options: JaegerSourceOptions = {}) {
    this.#settings = resolveJaegerOptions(options);
    const client = new JaegerClient(address, this.#settings);
    this.#reader = new JaegerReader(client, this.#settings);
    this.location = client.location;
  }

  async ask<Name extends QuestionName>(question: Question<Name>): Promise<Answer<Questions[Name]['answer']>>;
  async ask(question: AnyQuestion): Promise<Answer<unknown>> {
    if (question.name === 'conversation') return this.#findConversation(question);
    if (question.window === undefined) return this.#listFromAllTime(question as Question<'conversations'>);
    const reading = await this.#reader.read(question.window, question.filters?.service);
    return this.#answerFrom(reading, question.window, question);
  }

  async #findConversation({ conversationId }: Question<'conversation'>): Promise<Answer<ConversationSpans>> {
    if (this.#settings.findsOtherTraces) return this.#findByReading(conversationId);
    return (
      (await this.#lookUp(traceIdOf(conversationId), conversationId)) ??
      // A trace id is looked up before reading a month of traces, although it might also be another conversation's id.
      (await this.#lookUpByTraceId(conversationId)) ??
      this.#findByReading(conversationId)
    );
  }

  async #listFromAllTime(question: Question<'conversations'>): Promise<Answer<ConversationRecord[]>> {
    const { order, limit } = question;
    const read = (part: Window): Promise<WindowReading> => this.#reader.read(part, question.filters?.service);
    for await (const { lookBack, reading, isLast } of this.#readBack(
      order === 'newest' ? 'stepwise' : 'at once',
      read,
    )) {
      const answer = await this.#answerFrom(reading, lookBack.window, { ...question, window: lookBack.window });
      if (order === 'newest' && answer.data.length >= limit) return answer;
      if (isLast) return withLookBackLimit(answer, lookBack);
    }
    throw new TypeError('the last time range was not read');
  }

  async close(): Promise<void> {
    this.#reader.forget();
  }

  async #answerFrom<Name extends QuestionName>(
    reading: WindowReading,
    window: Window,
    question: Question<Name>,
  ): Promise<Answer<Questions[Name]['answer']>> {
    const answer = await this.#sourceOf(reading).ask(question);
    const { clock, settleMs } = this.#settings;
    const warning = unsettledWarning(reading.spans, window, clock(), settleMs);
    if (warning === undefined) return answer;
    return { ...answer, coverage: withWarning(answer.coverage, { code: 'unsettled', text: warning }) };
  }

  /** Looks up a trace by its id, with texts; undefined if it does not exist or is not a conversation. */
  async #lookUp(traceId: string, conversationId: string): Promise<Answer<ConversationSpans> | undefined> {
    const spans = await this.#reader.trace(traceId);
    const answer = await new MemorySource(spans).ask({ name: 'conversation', conversationId });
    return answer.data.spans.length === 0 ? undefined : answer;
  }

  async #lookUpByTraceId(conversationId: string): Promise<Answer<ConversationSpans> | undefined> {
    return TRACE_ID.test(conversationId) ? this.#lookUp(conversationId.toLowerCase(), conversationId) : undefined;
  }

  async #findByReading(conversationId: string): Promise<Answer<ConversationSpans>> {
    const mode = this.#settings.findsOtherTraces ? 'at once' : 'stepwise';
    const find = (part: Window): Promise<WindowReading> => this.#reader.find(part, conversationId);
    for await (const { lookBack, reading, isLast } of this.#readBack(mode, find)) {
      const answer = await this.#sourceOf(reading).ask({ name: 'conversation', conversationId });
      const traceId = answer.data.spans[0]?.traceId;
      if (traceId !== undefined) {
        const trace = new MemorySource(await this.#reader.trace(traceId));
        const whole = await trace.ask({ name: 'conversation', conversationId: traceId });
        return withFoundByReading({ ...answer, data: { ...answer.data, spans: whole.data.spans } }, lookBack);
      }
      if (isLast) return (await this.#lookUpByTraceId(conversationId)) ?? withLookBackLimit(answer, lookBack);
    }
    throw new TypeError('the last time range was not read');
  }

  /** Reads the look-back ranges: one after another, each adding to the previous ones, or only the longest. */
  async *#readBack(
    mode: 'stepwise' | 'at once',
    read: (part: Window) => Promise<WindowReading>,
  ): AsyncGenerator<{ lookBack: LookBack; reading: WindowReading; isLast: boolean }> {
    const all = lookBacks(this.#settings.clock(), this.#settings.lookBackMs);
    const last = all.at(-1)!;
    const reading: WindowReading = { spans: [], unread: [] };
    let { untilUnixNano } = last.window;
    for (const lookBack of mode === 'stepwise' ? all : [last]) {
      const { sinceUnixNano } = lookBack.window;
      const part = await read({ sinceUnixNano, untilUnixNano });
      untilUnixNano = sinceUnixNano;
      for (const span of part.spans) reading.spans.push(span);
      reading.unread.push(...part.unread);
      yield { lookBack, reading: { ...reading }, isLast: lookBack === last };
    }
  }

  #sourceOf(reading: WindowReading): MemorySource {
    let source = this.#sources.get(reading);
    if (source === undefined) {
      source = new MemorySource(reading.spans, { kind: this.kind, location: this.location, unread: reading.unread });
      this.#sources.set(reading, source);
    }
    return source;
  }
}

/** Adds a warning that the answer is incomplete because reading stopped at the look-back limit. */
function withLookBackLimit<Data>(answer: Answer<Data>, { limit }: Pick<LookBack, 'limit'>): Answer<Data> {
  if (limit === undefined) return answer;
  const text = `Searched only the last ${limit}; to include earlier times, ask with a window.`;
  const coverage = withWarning(answer.coverage, { code: 'looked-back', text });
  return { ...answer, coverage: { ...coverage, complete: false } };
}

/** Adds a warning that the trace was found by reading a time range. */
function withFoundByReading(answer: Answer<ConversationSpans>, { limit }: LookBack): Answer<ConversationSpans> {
  if (limit === undefined) return answer;
  const text = `The trace id is not derived from the conversation id; the trace was found by reading ${limit}.`;
  return { ...answer, coverage: withWarning(answer.coverage, { code: 'found-by-reading', text }) };
}
