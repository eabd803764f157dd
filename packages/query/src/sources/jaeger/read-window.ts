import { ConcurrencyLimiter } from '../../concurrency.ts';
import { AnswerTooLargeError } from '../../http/http-client.ts';
import type { Window } from '../../model/conversation.ts';
import type { SpanRecord } from '../../model/span-record.ts';
import { formatInstant } from '../../time/instant.ts';
import { JaegerRefusalError } from './jaeger-client.ts';
import type { JaegerClient } from './jaeger-client.ts';

/** A slice this short is not split further: 1 ms. */
const MIN_SLICE_NANO = 1_000_000n;

/** The resolution of some storages is a microsecond. */
const NANO_PER_MICROSECOND = 1000n;

/** Slices are split so that each part is expected to have this fraction of the traces that one search can return. */
const TARGET_FILL = 0.6;

const MAX_PARTS = 64;

/** Whether a slice can be split in two. */
export function isDivisible(slice: Window): boolean {
  return widthOf(slice) > MIN_SLICE_NANO;
}

/** Splits `slice` into equal parts, newest first; at least two if it is divisible. */
export function splitSlice(slice: Window, wantedParts: number): Window[] {
  const max = (widthOf(slice) + MIN_SLICE_NANO - 1n) / MIN_SLICE_NANO;
  const wanted = BigInt(Math.min(Math.max(2, wantedParts), MAX_PARTS));
  const count = wanted < max ? wanted : max;
  const parts: Window[] = [];
  let untilUnixNano = slice.untilUnixNano;
  for (let index = count - 1n; index > 0n; index--) {
    const boundary = slice.sinceUnixNano + (widthOf(slice) * index) / count;
    const sinceUnixNano = boundary - (boundary % NANO_PER_MICROSECOND);
    if (sinceUnixNano <= slice.sinceUnixNano || sinceUnixNano >= untilUnixNano) continue;
    parts.push({ sinceUnixNano, untilUnixNano });
    untilUnixNano = sinceUnixNano;
  }
  parts.push({ sinceUnixNano: slice.sinceUnixNano, untilUnixNano });
  return parts;
}

/**
 * The number of parts into which to split a slice whose response was truncated, so that one search suffices for each.
 *
 * Storages return the newest traces first, so the density of traces is estimated from the newest half of the response,
 * and assumed for the whole slice. If a part turns out to be denser, it is split again.
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
  return Math.ceil(expectedTraces / (depth * TARGET_FILL));
}

function widthOf({ sinceUnixNano, untilUnixNano }: Window): bigint {
  return untilUnixNano - sinceUnixNano;
}

export interface WindowRequest {
  client: JaegerClient;
  /** Whole traces are read if they have a span that starts in this window. */
  window: Window;
  /** Names of services to search one by one; undefined means all of them in one search. */
  services: readonly (string | undefined)[];
  /** Shared between requests to one server, so that its limit is learned only once. */
  depth: SearchDepth;
  concurrency: number;
  maxSpans: number;
  /** Selects the spans to keep from the traces of one response. */
  keep: (spans: readonly SpanRecord[]) => readonly SpanRecord[];
}

/** Depth of the first search: enough traces to estimate their density, and a window with fewer is complete. */
const PROBE_DEPTH = 500;

/** Maximum number of responses that may be too large before reading is given up; each that is not allows two more. */
const MAX_TOO_LARGE = 16;

export interface WindowReading {
  spans: SpanRecord[];
  /** A sentence for each time range that was not read completely. */
  unread: string[];
}

/**
 * Reads every trace with a span in the window. Jaeger has no pagination: a search returns at most the requested number
 * of traces, and does not define which. So a response with that many counts as truncated, and its time range is split,
 * down to a millisecond; then more traces are requested. A range that is still truncated is reported in `unread`.
 *
 * @throws `SourceError`; {@link AnswerTooLargeError} if responses are too large even for the shortest time ranges;
 *   {@link JaegerRefusalError} if the server rejects a request for another reason than the number of traces.
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
  /**
   * Number of spans of each trace read so far. A trace is returned again for each slice and service that it has a span
   * in.
   */
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
      // After a failure the remaining requests are not needed.
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
      case 'truncated':
      case 'too large':
        if (isDivisible(slice)) {
          const parts = splitSlice(slice, answer.parts);
          await Promise.all(parts.map((part) => this.#readSlice(part, service)));
        } else if (answer.outcome === 'truncated') {
          await this.#readDeeper(slice, service, depth);
        } else {
          this.#unread.push(`${describeRange(slice)} has more traces than fit into one response; they were not read.`);
        }
    }
  }

  /** Reads a slice that cannot be split further, by requesting more traces. */
  async #readDeeper(slice: Window, service: string | undefined, firstDepth: number): Promise<void> {
    let triedDepth = firstDepth;
    for (;;) {
      const depth = this.#request.depth.deeperThan(triedDepth);
      const answer =
        depth === undefined ? undefined : await this.#limiter.run(() => this.#search(slice, service, depth));
      if (answer?.outcome === 'whole') return;
      if (answer?.outcome === 'refused') continue;
      if (depth === undefined || answer?.outcome === 'too large') {
        this.#unread.push(
          `${describeRange(slice)} has more than ${triedDepth} traces, the most that this Jaeger returns; the others were not read.`,
        );
        return;
      }
      triedDepth = depth;
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
      return { outcome: 'truncated', parts: estimateParts(slice, spans, this.#request.depth.usual) };
    } catch (error) {
      if (error instanceof AnswerTooLargeError) {
        this.#answersTooLarge += 1;
        // Shorter ranges do not help: the server sends endless responses.
        if (this.#answersTooLarge > MAX_TOO_LARGE + 2 * this.#answersRead) throw error;
        return { outcome: 'too large', parts: 2 };
      }
      const isTooDeep = error instanceof JaegerRefusalError && error.isAboutDepth && this.#request.depth.refuse(depth);
      if (!isTooDeep) throw error;
      return { outcome: 'refused', parts: 0 };
    }
  }

  /** Keeps the spans of traces that are new or have more spans than before; returns the number of traces. */
  #take(spans: readonly SpanRecord[]): number {
    const counts = new Map<string, number>();
    for (const { traceId } of spans) counts.set(traceId, (counts.get(traceId) ?? 0) + 1);
    const unchanged = new Set<string>();
    for (const [traceId, count] of counts) {
      if (count > (this.#spanCounts.get(traceId) ?? 0)) this.#spanCounts.set(traceId, count);
      else unchanged.add(traceId);
    }
    const newSpans = unchanged.size === 0 ? spans : spans.filter(({ traceId }) => !unchanged.has(traceId));
    for (const span of this.#request.keep(newSpans)) this.#spans.push(span);
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
      `${describeRange(sum)} was not read completely: the limit of ${this.#request.maxSpans} spans was reached. Ask for a shorter time range.`,
    );
  }
}

interface SliceAnswer {
  /** `truncated`: there may be more traces than were returned. `refused`: the server rejects this depth. */
  outcome: 'whole' | 'truncated' | 'too large' | 'refused';
  /** Number of parts into which to split the slice. */
  parts: number;
}

function describeRange({ sinceUnixNano, untilUnixNano }: Window): string {
  return `The time from ${formatInstant(sinceUnixNano)} to ${formatInstant(untilUnixNano)}`;
}

/** How many traces a search may request, learned from what the server rejects. */
export class SearchDepth {
  readonly #max: number;
  #usual: number;
  #minRefused = Number.POSITIVE_INFINITY;

  constructor(usual: number, max: number) {
    this.#usual = usual;
    this.#max = max;
  }

  /** The depth to request normally. */
  get usual(): number {
    return this.#usual;
  }

  /** Records that the server rejected `depth`. Returns whether a smaller one is possible. */
  refuse(depth: number): boolean {
    this.#minRefused = Math.min(this.#minRefused, depth);
    if (this.#usual >= this.#minRefused) this.#usual = Math.max(1, Math.floor(this.#minRefused / 2));
    return this.#minRefused > 1;
  }

  /** A greater depth than `depth` that the server may accept; undefined if there is none. */
  deeperThan(depth: number): number | undefined {
    const middle = Math.floor((depth + this.#minRefused) / 2);
    const deeper = Math.min(depth * 2, this.#max, middle);
    return deeper > depth ? deeper : undefined;
  }
}
