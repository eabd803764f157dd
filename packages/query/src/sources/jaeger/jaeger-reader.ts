import { SourceError } from '../../errors.ts';
import { AnswerTooLargeError } from '../../http/http-client.ts';
import type { Window } from '../../model/conversation.ts';
import type { SpanRecord } from '../../model/span-record.ts';
import { JaegerRefusalError } from './jaeger-client.ts';
import type { JaegerClient, JaegerSettings } from './jaeger-client.ts';
import { readWindow, SearchDepth } from './read-window.ts';
import type { WindowReading, WindowRequest } from './read-window.ts';

/**
 * A search tests service and window on the same span, so a conversation in which the service works just before or after
 * the window is found only around it.
 */
const SERVICE_MARGIN_NANO = 3_600_000_000_000n;

/** Reads windows of one Jaeger, and remembers what that Jaeger does not take. */
export class JaegerReader {
  readonly #client: JaegerClient;
  readonly #settings: JaegerSettings;
  readonly #readings: Readings;
  readonly #depth: SearchDepth;
  readonly #openedMs: number;
  /** Badger, Cassandra and others search by service only. */
  #needsServiceName = false;

  constructor(client: JaegerClient, settings: JaegerSettings) {
    this.#client = client;
    this.#settings = settings;
    this.#openedMs = settings.clock().getTime();
    this.#readings = new Readings(settings.clock);
    this.#depth = new SearchDepth(settings.searchDepth, Math.max(settings.searchDepth, settings.maxSearchDepth));
  }

  /** All traces with a span in `window`, of `service` when given, without texts and without what no answer reads. */
  read(window: Window, service: string | undefined): Promise<WindowReading> {
    const whole = this.#readings.find({ window });
    if (whole !== undefined) return whole;
    if (service === undefined) return this.#readings.get({ window }, () => this.#readAll(window, keepAll));
    const around = {
      sinceUnixNano: window.sinceUnixNano - SERVICE_MARGIN_NANO,
      untilUnixNano: window.untilUnixNano + SERVICE_MARGIN_NANO,
    };
    return this.#readings.get({ window, service }, () => this.#readServices(around, [service], keepAll));
  }

  /** The traces in `window` that carry the conversation id. */
  async find(window: Window, conversationId: string): Promise<WindowReading> {
    const keep = (spans: readonly SpanRecord[]): SpanRecord[] => {
      const carriers = new Set(spans.flatMap((span) => (span.conversationId === conversationId ? span.traceId : [])));
      return carriers.size === 0 ? [] : spans.filter(({ traceId }) => carriers.has(traceId));
    };
    const whole = await this.#readings.find({ window });
    return whole === undefined ? this.#readAll(window, keep) : { ...whole, spans: keep(whole.spans) };
  }

  /** The spans of one trace, as they are; none where there is no such trace. */
  trace(traceId: string): Promise<SpanRecord[]> {
    return this.#refusable('show a trace', () => this.#client.trace(traceId));
  }

  forget(): void {
    this.#readings.clear();
  }

  async #readAll(window: Window, keep: WindowRequest['keep']): Promise<WindowReading> {
    if (!this.#needsServiceName) {
      try {
        return await this.#readServices(window, [undefined], keep);
      } catch (error) {
        if (!(error instanceof SourceError && error.cause instanceof JaegerRefusalError)) throw error;
        this.#needsServiceName = true;
      }
    }
    return this.#readServices(window, await this.#services(), keep);
  }

  /** Names of all services: those that were known when this was made, if that was just now, else asked for. */
  async #services(): Promise<readonly string[]> {
    const { knownServices, clock } = this.#settings;
    const isFresh = Math.abs(clock().getTime() - this.#openedMs) <= REUSED_FOR_MS;
    if (knownServices !== undefined && isFresh) return knownServices;
    return this.#refusable('list its services', () => this.#client.services());
  }

  async #readServices(
    window: Window,
    services: WindowRequest['services'],
    keep: WindowRequest['keep'],
  ): Promise<WindowReading> {
    const { concurrency, maxSpans } = this.#settings;
    const request = { client: this.#client, window, services, depth: this.#depth, concurrency, maxSpans, keep };
    return this.#refusable('search', () => readWindow(request));
  }

  async #refusable<Result>(what: string, ask: () => Promise<Result>): Promise<Result> {
    try {
      return await ask();
    } catch (error) {
      if (error instanceof AnswerTooLargeError) {
        throw new SourceError(
          'WRONG_ANSWER',
          `Jaeger at ${this.#client.location} was to ${what}, and sent ${error.message}${what === 'search' ? ', however short the time was' : ''}. Is one trace id used for everything, or does something else listen there?`,
          { cause: error },
        );
      }
      if (!(error instanceof JaegerRefusalError)) throw error;
      throw new SourceError(
        'WRONG_ANSWER',
        `Jaeger at ${this.#client.location} refused to ${what} (status ${error.status}): ${JSON.stringify(error.message)}. Its own output may tell more.`,
        { cause: error },
      );
    }
  }
}

function keepAll(spans: readonly SpanRecord[]): readonly SpanRecord[] {
  return spans;
}

/** Questions of one command come within seconds; spans that arrive in between are left to the next one. */
export const REUSED_FOR_MS = 10_000;

/** More than any command asks for: `compare` reads two windows, `recent` up to four stretches. */
const READINGS_KEPT = 8;

/** Of what a reading is. */
export interface ReadingScope {
  window: Window;
  /** All services when absent. */
  service?: string | undefined;
}

interface Kept {
  key: string;
  startedMs: number;
  reading: Promise<WindowReading>;
}

/** Keeps the latest readings for a short time, so that the questions of one command read once. */
export class Readings {
  readonly #clock: () => Date;
  #kept: Kept[] = [];

  constructor(clock: () => Date) {
    this.#clock = clock;
  }

  /** A fresh reading of exactly this scope, if there is one. */
  find(scope: ReadingScope): Promise<WindowReading> | undefined {
    const nowMs = this.#clock().getTime();
    this.#kept = this.#kept.filter(({ startedMs }) => Math.abs(nowMs - startedMs) <= REUSED_FOR_MS);
    const key = keyOf(scope);
    const found = this.#kept.find((kept) => kept.key === key);
    if (found === undefined) return undefined;
    this.#kept = [...this.#kept.filter((kept) => kept !== found), found];
    return found.reading;
  }

  /** Reads by `read` unless there is a fresh reading. */
  get(scope: ReadingScope, read: () => Promise<WindowReading>): Promise<WindowReading> {
    const found = this.find(scope);
    if (found !== undefined) return found;
    const kept: Kept = { key: keyOf(scope), startedMs: this.#clock().getTime(), reading: read() };
    this.#kept = [...this.#kept, kept].slice(-READINGS_KEPT);
    kept.reading.then(
      () => (kept.startedMs = this.#clock().getTime()),
      // Whoever asked hears of the failure; the next question tries again.
      () => (this.#kept = this.#kept.filter((other) => other !== kept)),
    );
    return kept.reading;
  }

  clear(): void {
    this.#kept = [];
  }
}

function keyOf({ window, service }: ReadingScope): string {
  return JSON.stringify([String(window.sinceUnixNano), String(window.untilUnixNano), service]);
}
