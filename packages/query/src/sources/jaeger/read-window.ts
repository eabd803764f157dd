import { ConcurrencyLimiter } from '../../concurrency.ts';
import { AnswerTooLargeError } from '../../http/http-client.ts';
import type { Window } from '../../model/conversation.ts';
import type { SpanRecord } from '../../model/span-record.ts';
import { formatInstant } from '../../time/instant.ts';
import { JaegerRefusalError } from './jaeger-client.ts';
import type { JaegerClient } from './jaeger-client.ts';

/** A slice this short is not cut any more: 1 ms. */
const SHORTEST_NANO = 1_000_000n;

/** Some storages tell microseconds apart and no less. */
const NANO_PER_MICROSECOND = 1000n;

/** A part of a slice should hold this share of the traces that one search may answer with. */
const AIMED_SHARE = 0.6;

const MOST_PARTS = 64;

/** Whether a slice can be cut in two. */
export function isDivisible(slice: Window): boolean {
  return widthOf(slice) > SHORTEST_NANO;
}

/** Cuts `slice` into equal parts, the newest first: at least two, where it is divisible. */
export function cutSlice(slice: Window, wantedParts: number): Window[] {
  const most = (widthOf(slice) + SHORTEST_NANO - 1n) / SHORTEST_NANO;
  const wanted = BigInt(Math.min(Math.max(2, wantedParts), MOST_PARTS));
  const count = wanted < most ? wanted : most;
  const parts: Window[] = [];
  let untilUnixNano = slice.untilUnixNano;
  for (let index = count - 1n; index > 0n; index--) {
    const cut = slice.sinceUnixNano + (widthOf(slice) * index) / count;
    const sinceUnixNano = cut - (cut % NANO_PER_MICROSECOND);
    if (sinceUnixNano <= slice.sinceUnixNano || sinceUnixNano >= untilUnixNano) continue;
    parts.push({ sinceUnixNano, untilUnixNano });
    untilUnixNano = sinceUnixNano;
  }
  parts.push({ sinceUnixNano: slice.sinceUnixNano, untilUnixNano });
  return parts;
}

/**
 * Into how many parts to cut a slice whose answer was full, so that one search suffices for each.
 *
 * Storages answer with the newest traces first, so the answer shows how dense traces are before the newest: half of them
 * lie between it and their median. The slice is taken to be as dense throughout; where it is not, parts are cut again.
 */
export function estimateParts(slice: Window, spans: readonly SpanRecord[], depth: number): number {
  const startsByTrace = new Map<string, bigint>();
  for (const { traceId, startTimeUnixNano } of spans) {
    if (startTimeUnixNano < slice.sinceUnixNano || startTimeUnixNano >= slice.untilUnixNano) continue;
    const known = startsByTrace.get(traceId);
    if (known === undefined || startTimeUnixNano < known) startsByTrace.set(traceId, startTimeUnixNano);
  }
  const starts = [...startsByTrace.values()].map((start) => Number(start - slice.sinceUnixNano)).sort((a, b) => b - a);
  const half = Math.floor(starts.length / 2);
  const [newest, median] = [starts[0], starts[half]];
  if (newest === undefined || median === undefined || newest === median) return 2;
  const expectedTraces = (half * Number(widthOf(slice))) / (newest - median);
  return Math.ceil(expectedTraces / (depth * AIMED_SHARE));
}

function widthOf({ sinceUnixNano, untilUnixNano }: Window): bigint {
  return untilUnixNano - sinceUnixNano;
}

/** What to read, and how. */
export interface WindowRequest {
  client: JaegerClient;
  /** Traces with a span that starts in it are read, whole. */
  window: Window;
  /** Names of services to go through; undefined stands for all of them in one search. */
  services: readonly (string | undefined)[];
  /** Shared between requests to one server, so that what it refuses is learned once. */
  depth: SearchDepth;
  concurrency: number;
  maxSpans: number;
  /** What to keep of the whole traces of one answer. */
  keep: (spans: readonly SpanRecord[]) => readonly SpanRecord[];
}

/** So many traces tell how dense they are; a window with fewer is read at once. */
const PROBE_DEPTH = 500;

/** So many answers may be too large before any was read; each that was read allows for another two. */
const MAX_TOO_LARGE = 16;

/** What was read. */
export interface WindowReading {
  spans: SpanRecord[];
  /** A sentence for each stretch that was not read to the end. */
  unread: string[];
}

/**
 * Reads every trace with a span in the window. Jaeger has no pages: a search answers with so many traces at most, in no
 * promised choice. So an answer with as many as were asked for is taken for cut, and its stretch of time is asked for in
 * parts, down to a millisecond; then for more traces; what is still cut is reported.
 *
 * @throws `SourceError`; {@link AnswerTooLargeError} when answers stay too large however short the time is;
 *   {@link JaegerRefusalError} when the server refuses for another reason than the number of traces.
 */
export async function readWindow(request: WindowRequest): Promise<WindowReading> {
  const reader = new WindowReader(request);
  return reader.read();
}

class WindowReader {
  readonly #request: WindowRequest;
  readonly #limiter: ConcurrencyLimiter;
  readonly #stop = new AbortController();
  readonly #spans: SpanRecord[] = [];
  readonly #unread: string[] = [];
  /** Spans of each trace that has been read; a trace comes back with every slice and service that it has a span in. */
  readonly #spanCounts = new Map<string, number>();
  readonly #leftOver: Window[] = [];
  #answersRead = 0;
  #answersTooLarge = 0;

  constructor(request: WindowRequest) {
    this.#request = request;
    this.#limiter = new ConcurrencyLimiter(request.concurrency);
  }

  async read(): Promise<WindowReading> {
    const { window, services } = this.#request;
    if (window.sinceUnixNano >= window.untilUnixNano) return { spans: [], unread: [] };
    try {
      const probeDepth = Math.min(PROBE_DEPTH, this.#request.depth.usual);
      await Promise.all(services.map((service) => this.#readSlice(window, service, probeDepth)));
    } finally {
      // After a failure nobody waits for the others.
      this.#stop.abort();
    }
    this.#reportLeftOver();
    return { spans: this.#spans, unread: this.#unread };
  }

  async #readSlice(slice: Window, service: string | undefined, depth = this.#request.depth.usual): Promise<void> {
    const answer = await this.#limiter.run(() => this.#search(slice, service, depth));
    switch (answer.outcome) {
      case 'whole':
        return;
      case 'refused':
        return this.#readSlice(slice, service);
      case 'cut':
      case 'too large':
        if (isDivisible(slice)) {
          const parts = cutSlice(slice, answer.parts);
          await Promise.all(parts.map((part) => this.#readSlice(part, service)));
        } else if (answer.outcome === 'cut') {
          await this.#readDeeper(slice, service, depth);
        } else {
          this.#unread.push(`${describeStretch(slice)} has more than one answer can hold; its traces were not read.`);
        }
    }
  }

  /** Reads a slice that cannot be cut any more. */
  async #readDeeper(slice: Window, service: string | undefined, tried: number): Promise<void> {
    let enough = tried;
    for (;;) {
      const depth = this.#request.depth.deeperThan(enough);
      const answer =
        depth === undefined ? undefined : await this.#limiter.run(() => this.#search(slice, service, depth));
      if (answer?.outcome === 'whole') return;
      if (answer?.outcome === 'refused') continue;
      if (depth === undefined || answer?.outcome === 'too large') {
        this.#unread.push(
          `${describeStretch(slice)} has more than ${enough} traces, the most that this Jaeger answers with; the others were not read.`,
        );
        return;
      }
      enough = depth;
    }
  }

  async #search(slice: Window, service: string | undefined, depth: number): Promise<SliceAnswer> {
    const { client, maxSpans } = this.#request;
    if (this.#spans.length >= maxSpans) {
      this.#leftOver.push(slice);
      return { outcome: 'whole', parts: 0 };
    }
    try {
      const spans = await client.search({ window: slice, service, depth }, this.#stop.signal);
      this.#answersRead += 1;
      const traceCount = this.#take(spans);
      if (traceCount < depth) return { outcome: 'whole', parts: 0 };
      return { outcome: 'cut', parts: estimateParts(slice, spans, this.#request.depth.usual) };
    } catch (error) {
      if (error instanceof AnswerTooLargeError) {
        this.#answersTooLarge += 1;
        // Shorter stretches do not help: something that never stops is listening there.
        if (this.#answersTooLarge > MAX_TOO_LARGE + 2 * this.#answersRead) throw error;
        return { outcome: 'too large', parts: 2 };
      }
      const isTooDeep = error instanceof JaegerRefusalError && error.isAboutDepth && this.#request.depth.refuse(depth);
      if (!isTooDeep) throw error;
      return { outcome: 'refused', parts: 0 };
    }
  }

  /** Keeps the traces that are new, or have grown meanwhile; returns how many traces the spans are of. */
  #take(spans: readonly SpanRecord[]): number {
    const counts = new Map<string, number>();
    for (const { traceId } of spans) counts.set(traceId, (counts.get(traceId) ?? 0) + 1);
    const unchanged = new Set<string>();
    for (const [traceId, count] of counts) {
      if (count > (this.#spanCounts.get(traceId) ?? 0)) this.#spanCounts.set(traceId, count);
      else unchanged.add(traceId);
    }
    const news = unchanged.size === 0 ? spans : spans.filter(({ traceId }) => !unchanged.has(traceId));
    for (const span of this.#request.keep(news)) this.#spans.push(span);
    return counts.size;
  }

  #reportLeftOver(): void {
    const [first] = this.#leftOver;
    if (first === undefined) return;
    const sum = { ...first };
    for (const { sinceUnixNano, untilUnixNano } of this.#leftOver) {
      if (sinceUnixNano < sum.sinceUnixNano) sum.sinceUnixNano = sinceUnixNano;
      if (untilUnixNano > sum.untilUnixNano) sum.untilUnixNano = untilUnixNano;
    }
    this.#unread.push(
      `${describeStretch(sum)} was not read to the end: ${this.#spans.length} spans are more than are kept at once. Ask for a shorter time.`,
    );
  }
}

interface SliceAnswer {
  /** `cut`: there may be more than the answer holds. `refused`: the server does not take so great a depth. */
  outcome: 'whole' | 'cut' | 'too large' | 'refused';
  /** Into how many parts to cut the slice. */
  parts: number;
}

function describeStretch({ sinceUnixNano, untilUnixNano }: Window): string {
  return `The time from ${formatInstant(sinceUnixNano)} to ${formatInstant(untilUnixNano)}`;
}

/** How many traces a search may ask for, as far as the server has shown. */
export class SearchDepth {
  readonly #max: number;
  #usual: number;
  #leastRefused = Number.POSITIVE_INFINITY;

  constructor(usual: number, max: number) {
    this.#usual = usual;
    this.#max = max;
  }

  /** What to ask for where nothing speaks for more. */
  get usual(): number {
    return this.#usual;
  }

  /** Notes that the server refused `depth`. Returns whether there is a smaller one. */
  refuse(depth: number): boolean {
    this.#leastRefused = Math.min(this.#leastRefused, depth);
    if (this.#usual >= this.#leastRefused) this.#usual = Math.max(1, Math.floor(this.#leastRefused / 2));
    return this.#leastRefused > 1;
  }

  /** A greater depth than one that was not enough, as far as the server takes it; undefined where there is none. */
  deeperThan(depth: number): number | undefined {
    const middle = Math.floor((depth + this.#leastRefused) / 2);
    const deeper = Math.min(depth * 2, this.#max, middle);
    return deeper > depth ? deeper : undefined;
  }
}
