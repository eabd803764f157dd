import type { ChunkReader } from './recognized/recognize.ts';
import type { ResultDetails } from './recognized/result-details.ts';
import type { ResultObserver, StreamSoFar } from './result-observer.ts';

/**
 * What came out of one stream so far. Its functions are called as chunks are handed to the program; the first of
 * `completed`, `failed` and `left` ends the step.
 */
export class StreamedOutput implements StreamSoFar {
  readonly #observer: ResultObserver;
  readonly #reader: ChunkReader;
  readonly #details: ResultDetails;
  #chunks = 0;
  #chars: number | undefined;
  #text = '';
  #hasOutput = false;
  #hasBegun = false;
  #isDescribed = false;
  /** The branches of one stream that are open, this one among them, where there are several. */
  #branches: Set<StreamedOutput> | undefined;
  #signal: AbortSignal | undefined;

  /** `details`: what is read off the chunks; shared by the branches of one stream. */
  constructor(observer: ResultObserver, reader: ChunkReader, details: ResultDetails = {}) {
    this.#details = details;
    this.#observer = observer;
    this.#reader = reader;
  }

  /** Leaving this branch of a stream early ends the step only when none of `openBranches` is left. */
  asOneOf(openBranches: Set<StreamedOutput>): this {
    this.#branches = openBranches.add(this);
    return this;
  }

  /** The streams of openai and anthropic end as if they were complete when `signal` is aborted; so it is looked at. */
  endsQuietlyBy(signal: AbortSignal | undefined): this {
    this.#signal = signal;
    return this;
  }

  /** Somebody reads the stream. */
  begins(): void {
    if (this.#hasBegun) return;
    this.#hasBegun = true;
    this.#observer.begins();
    this.#observer.streams(this);
  }

  chunk(chunk: unknown): void {
    if (!this.#hasBegun) this.begins();
    const output = typeof chunk === 'string' ? chunk : this.#reader.read(chunk, this.#details);
    // The parts of a branch are not what the program gets: announcements are left out of its streams.
    if (this.#branches === undefined || output !== '') this.#chunks += 1;
    if (!this.#hasOutput && output !== '') {
      this.#hasOutput = true;
      this.#observer.firstOutput();
    }
    if (typeof output !== 'string') return;
    this.#chars = (this.#chars ?? 0) + output.length;
    if (this.#observer.keepsText) this.#text += output;
  }

  /** The last chunk was handed on; `value` is what the stream gave beside its chunks. */
  completed(value?: unknown): void {
    this.describe();
    const { failure, wasAborted } = this.#reader;
    if (failure !== undefined) this.#observer.threw(failure.error);
    else if (wasAborted || this.#signal?.aborted === true) this.#observer.leftEarly();
    else this.#observer.returned(value);
  }

  failed(error: unknown): void {
    this.describe();
    this.#observer.threw(error);
  }

  left(): void {
    this.#branches?.delete(this);
    if (this.#branches !== undefined && this.#branches.size > 0) return;
    this.describe();
    this.#observer.leftEarly();
  }

  describe(): void {
    if (this.#isDescribed || this.#observer.isOver) return;
    this.#isDescribed = true;
    const details: ResultDetails = { ...this.#details, chunks: this.#chunks };
    if (this.#chars !== undefined) {
      details.outputChars = this.#chars;
      if (this.#observer.keepsText) details.outputText = this.#text;
    }
    this.#observer.describe(details);
  }
}
