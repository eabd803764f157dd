import type { ResultObserver, StreamedOutput } from './result-observer.ts';

type Controller = ReadableStreamDefaultController<unknown> | ReadableByteStreamController;
export interface ReaderOptions {
  mode?: 'byob' | undefined;
}

type Reader = ReadableStreamDefaultReader<unknown> | ReadableStreamBYOBReader;
export type ReadResult = { done: boolean; value?: unknown };

/**
 * The source of a followed stream, which reads from the original: a chunk only when the consumer wants one. The
 * original is locked from the first read on.
 */
export class StreamSource {
  readonly isByteStream: boolean;
  // Bound before the methods of the object are replaced.
  readonly #getReader: (options?: ReaderOptions) => Reader;
  readonly #cancel: (reason: unknown) => Promise<void>;
  readonly #output: StreamedOutput;
  readonly #observer: ResultObserver;
  #controller: Controller | undefined;
  #reader: Reader | undefined;
  #readerMode: 'byob' | undefined;
  #isOver = false;

  constructor(stream: ReadableStream<unknown>, output: StreamedOutput, observer: ResultObserver) {
    this.#getReader = stream.getReader.bind(stream) as (options?: ReaderOptions) => Reader;
    this.#cancel = stream.cancel.bind(stream);
    this.#output = output;
    this.#observer = observer;
    this.isByteStream = isByteStream(stream);
  }

  /** Called by the followed stream when it is constructed. */
  start(controller: Controller): void {
    this.#controller = controller;
  }

  /** The followed stream is about to be read. */
  readingStarted(): void {
    this.#output.readingStarted();
  }

  /** Called by the followed stream for each chunk that its consumer requests; it buffers none. */
  async pull(controller: Controller): Promise<void> {
    const request = 'byobRequest' in controller ? controller.byobRequest : null;
    const view = request?.view;
    let chunk: ReadResult;
    try {
      chunk = await (view
        ? this.#request(readInto, [this.#byobReader(), viewOf(view), undefined] as const)
        : this.#request(readNext, this.#defaultReader()));
    } catch (error) {
      this.#onError(error);
      return;
    }
    if (this.#isOver) return;
    if (this.#onChunk(chunk).done) request?.respond(0);
    else if (request) request.respondWithNewView(chunk.value as ArrayBufferView<ArrayBuffer>);
    else controller.enqueue(chunk.value as ArrayBufferView<ArrayBuffer>);
  }

  /** Reads without going through the followed stream's queue, which is faster. There must be no other pending read. */
  read(view: ArrayBufferView | undefined, options: unknown): Promise<ReadResult> {
    const chunk =
      view === undefined
        ? this.#request(readNext, this.#defaultReader())
        : this.#request(readInto, [this.#byobReader(), view, options] as const);
    return chunk.then(this.#onChunk, this.#onError);
  }

  async cancel(reason: unknown): Promise<void> {
    if (!this.#isOver) {
      this.#isOver = true;
      this.#output.cancelled();
    }
    await (this.#reader === undefined ? this.#cancel(reason) : this.#reader.cancel(reason));
  }

  /** Runs the code that fills the stream in the context of the step, wherever its consumer runs. */
  #request<Argument>(read: (argument: Argument) => Promise<ReadResult>, argument: Argument): Promise<ReadResult> {
    this.#output.readingStarted();
    return this.#observer.runProducer(read, argument);
  }

  readonly #onChunk = (chunk: ReadResult): ReadResult => {
    if (this.#isOver) return chunk;
    if (chunk.done) {
      this.#isOver = true;
      this.#output.completed();
      this.#controller!.close();
    } else {
      this.#output.chunk(chunk.value);
    }
    return chunk;
  };

  readonly #onError = (error: unknown): never => {
    if (!this.#isOver) {
      this.#isOver = true;
      this.#output.failed(error);
      this.#controller!.error(error);
    }
    throw error;
  };

  #defaultReader(): Reader {
    return this.#reader !== undefined && this.#readerMode === undefined ? this.#reader : this.#hold(undefined);
  }

  #byobReader(): Reader {
    return this.#reader !== undefined && this.#readerMode === 'byob' ? this.#reader : this.#hold('byob');
  }

  #hold(mode: 'byob' | undefined): Reader {
    this.#reader?.releaseLock();
    const reader = mode === undefined ? this.#getReader() : this.#getReader({ mode });
    this.#reader = reader;
    this.#readerMode = mode;
    // An error between two reads is passed to the consumer at once, as the original would.
    reader.closed.catch((error: unknown) => {
      if (this.#reader !== reader || this.#isOver) return;
      this.#isOver = true;
      this.#output.failed(error);
      this.#controller!.error(error);
    });
    return reader;
  }
}

function readNext(reader: Reader): Promise<ReadResult> {
  return (reader as ReadableStreamDefaultReader<unknown>).read() as Promise<ReadResult>;
}

/** `options`: those of `read(view, { min })`, which are passed on unchanged. */
function readInto([reader, view, options]: readonly [Reader, ArrayBufferView, unknown]): Promise<ReadResult> {
  const read = (reader as ReadableStreamBYOBReader).read.bind(reader) as (...args: unknown[]) => Promise<ReadResult>;
  return options === undefined ? read(view) : read(view, options);
}

/** Only a byte stream has BYOB readers. Getting one reads nothing. */
function isByteStream(stream: ReadableStream<unknown>): boolean {
  try {
    stream.getReader({ mode: 'byob' }).releaseLock();
    return true;
  } catch {
    return false;
  }
}

/** The view that a byte stream's consumer wants filled, as a `Uint8Array`. */
function viewOf(view: ArrayBufferView): Uint8Array<ArrayBuffer> {
  return new Uint8Array(view.buffer as ArrayBuffer, view.byteOffset, view.byteLength);
}
