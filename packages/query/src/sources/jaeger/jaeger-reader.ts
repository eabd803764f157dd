import { SourceError } from '../../errors.ts';
import { AnswerTooLargeError } from '../../http/http-client.ts';
import type { Window } from '../../model/conversation.ts';
import type { SpanRecord } from '../../model/span-record.ts';
import { JaegerRefusalError } from './jaeger-client.ts';
import type { JaegerClient, JaegerSettings } from './jaeger-client.ts';
import { readWindow, SearchDepth } from './read-window.ts';
import type { WindowReading, WindowRequest } from './read-window.ts';

/**
 * A search matches service and window on the same span. To find conversations whose spans of the service are just
 * before or after the window, the search extends the window by this margin.
 */
const SERVICE_MARGIN_NANO = 3_600_000_000_000n;

/** Reads time windows from one Jaeger, and remembers which requests it does not support. */
export class JaegerReader {
  readonly #client: JaegerClient;
  readonly #settings: JaegerSettings;
  readonly #readings: ReadingCache;
  readonly #depth: SearchDepth;
  readonly #openedMs: number;
  /** Badger, Cassandra and other storages can only search by service. */
  #needsServiceName = false;

  constructor(client: JaegerClient, settings: JaegerSettings) {
    this.#client = client;
    this.#settings = settings;
    this.#openedMs = settings.clock().getTime();
    this.#readings = new ReadingCache(settings.clock);
    this.#depth = new SearchDepth(settings.searchDepth, Math.max(settings.searchDepth, settings.maxSearchDepth));
  }

  /** All traces with a span in `window` (of `service`, if given), as slim spans. */
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

  /** The traces in `window` that have the conversation id. */
  async find(window: Window, conversationId: string): Promise<WindowReading> {
    const keep = (spans: readonly SpanRecord[]): SpanRecord[] => {
      const carriers = new Set(spans.flatMap((span) => (span.conversationId === conversationId ? span.traceId : [])));
      return carriers.size === 0 ? [] : spans.filter(({ traceId }) => carriers.has(traceId));
    };
    const whole = await this.#readings.find({ window });
    return whole === undefined ? this.#readAll(window, keep) : { ...whole, spans: keep(whole.spans) };
  }

  /** The whole spans of one trace; empty if there is no such trace. */
  trace(traceId: string): Promise<SpanRecord[]> {
    return this.#explainErrors('return a trace', () => this.#client.trace(traceId));
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

  /** Names of all services: those of the option `knownServices` while they are fresh, else requested. */
  async #services(): Promise<readonly string[]> {
    const { knownServices, clock } = this.#settings;
    const isFresh = Math.abs(clock().getTime() - this.#openedMs) <= READING_TTL_MS;
    if (knownServices !== undefined && isFresh) return knownServices;
    return this.#explainErrors('list its services', () => this.#client.services());
  }

  async #readServices(
    window: Window,
    services: WindowRequest['services'],
    keep: WindowRequest['keep'],
  ): Promise<WindowReading> {
    const { concurrency, maxSpans } = this.#settings;
    const request = { client: this.#client, window, services, depth: this.#depth, concurrency, maxSpans, keep };
    return this.#explainErrors('search', () => readWindow(request));
  }

  /** Converts errors of `ask` to a `SourceError`; `what` names the request. */
  async #explainErrors<Result>(what: string, ask: () => Promise<Result>): Promise<Result> {
    try {
      return await ask();
    } catch (error) {
      if (error instanceof AnswerTooLargeError) {
        throw new SourceError(
          'WRONG_ANSWER',
          `Jaeger at ${this.#client.location} was asked to ${what} and sent ${error.message}${what === 'search' ? ', even for the shortest time range' : ''}. Is one trace id used for everything, or is it another server?`,
          { cause: error },
        );
      }
      if (!(error instanceof JaegerRefusalError)) throw error;
      throw new SourceError(
        'WRONG_ANSWER',
        `Jaeger at ${this.#client.location} refused to ${what} (status ${error.status}): ${JSON.stringify(error.message)}. See Jaeger's log for the cause.`,
        { cause: error },
      );
    }
  }
}

function keepAll(spans: readonly SpanRecord[]): readonly SpanRecord[] {
  return spans;
}

/** The questions of one command follow within seconds, and should see the same spans. */
export const READING_TTL_MS = 10_000;

/** More than any command needs: `compare` reads two windows, `recent` up to four time ranges. */
const MAX_CACHED_READINGS = 8;

export interface ReadingScope {
  window: Window;
  /** @defaultValue all services */
  service?: string | undefined;
}

interface Kept {
  key: string;
  startedMs: number;
  reading: Promise<WindowReading>;
}

/** Caches the latest readings for a short time, so that the questions of one command read each window once. */
export class ReadingCache {
  readonly #clock: () => Date;
  #kept: Kept[] = [];

  constructor(clock: () => Date) {
    this.#clock = clock;
  }

  /** The cached reading of exactly this scope, if there is one. */
  find(scope: ReadingScope): Promise<WindowReading> | undefined {
    const nowMs = this.#clock().getTime();
    this.#kept = this.#kept.filter(({ startedMs }) => Math.abs(nowMs - startedMs) <= READING_TTL_MS);
    const key = keyOf(scope);
    const found = this.#kept.find((kept) => kept.key === key);
    if (found === undefined) return undefined;
    this.#kept = [...this.#kept.filter((kept) => kept !== found), found];
    return found.reading;
  }

  /** The cached reading of this scope, else a new one with `read`. */
  get(scope: ReadingScope, read: () => Promise<WindowReading>): Promise<WindowReading> {
    const found = this.find(scope);
    if (found !== undefined) return found;
    const kept: Kept = { key: keyOf(scope), startedMs: this.#clock().getTime(), reading: read() };
    this.#kept = [...this.#kept, kept].slice(-MAX_CACHED_READINGS);
    kept.reading.then(
      () => (kept.startedMs = this.#clock().getTime()),
      // The caller gets the error; the next question reads again.
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
