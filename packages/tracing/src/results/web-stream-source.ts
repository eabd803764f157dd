import type { ResultObserver, StreamedOutput } from './result-observer.ts';

type Controller = ReadableStreamDefaultController<unknown> | ReadableByteStreamController;
/** Options of `getReader`. */
export interface ReaderOptions {
  mode?: 'byob' | undefined;
}

type Reader = ReadableStreamDefaultReader<unknown> | ReadableStreamBYOBReader;
/** What a reader gives: a chunk, or that there are no more. */
export type ReadResult = { done: boolean; value?: unknown };

/**
 * The original behind a followed stream: asked for a chunk only when the consumer asks, locked from the first read on,
 * not before.
 */
export class StreamSource {
  readonly isByteStream: boolean;
  // Kept from before the object's own functions are replaced.
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

  /** Called once by the followed stream when it is made. */
  start(controller: Controller): void {
    this.#controller = controller;
  }

  /** Called by the followed stream when its consumer wants a chunk and it has none: it never has one in store. */
  async pull(controller: Controller): Promise<void> {
    const request = 'byobRequest' in controller ? controller.byobRequest : null;
    const view = request?.view;
    let chunk: ReadResult;
    try {
      chunk = await (view
        ? this.#ask(readInto, [this.#byobReader(), viewOf(view), undefined] as const)
        : this.#ask(readNext, this.#defaultReader()));
    } catch (error) {
      this.#fail(error);
      return;
    }
    if (this.#isOver) return;
    if (this.#hear(chunk).done) request?.respond(0);
    else if (request) request.respondWithNewView(chunk.value as ArrayBufferView<ArrayBuffer>);
    else controller.enqueue(chunk.value as ArrayBufferView<ArrayBuffer>);
  }

  /** A read that goes past the followed stream, which saves its queue. It must be empty, and nobody else may read. */
  read(view: ArrayBufferView | undefined, options: unknown): Promise<ReadResult> {
    const chunk =
      view === undefined
        ? this.#ask(readNext, this.#defaultReader())
        : this.#ask(readInto, [this.#byobReader(), view, options] as const);
    return chunk.then(this.#hear, this.#fail);
  }

  async cancel(reason: unknown): Promise<void> {
    if (!this.#isOver) {
      this.#isOver = true;
      this.#output.left();
    }
    await (this.#reader === undefined ? this.#cancel(reason) : this.#reader.cancel(reason));
  }

  /** The code that fills the stream runs inside the step, also where its consumer is elsewhere. */
  #ask<Argument>(read: (argument: Argument) => Promise<ReadResult>, argument: Argument): Promise<ReadResult> {
    this.#output.begins();
    return this.#observer.runInside(read, argument);
  }

  readonly #hear = (chunk: ReadResult): ReadResult => {
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

  readonly #fail = (error: unknown): never => {
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
    // A failure between two reads reaches the consumer at once, as it does from the original.
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

/** `options` are those of the standard's `read(view, { min })`, which are passed on as they are. */
function readInto([reader, view, options]: readonly [Reader, ArrayBufferView, unknown]): Promise<ReadResult> {
  const read = (reader as ReadableStreamBYOBReader).read.bind(reader) as (...given: unknown[]) => Promise<ReadResult>;
  return options === undefined ? read(view) : read(view, options);
}

/** Only a byte stream can be read into the reader's own buffer. Asking for such a reader reads nothing. */
function isByteStream(stream: ReadableStream<unknown>): boolean {
  try {
    stream.getReader({ mode: 'byob' }).releaseLock();
    return true;
  } catch {
    return false;
  }
}

/** What a byte stream's consumer wants filled, as the original's consumer would ask for it. */
function viewOf(view: ArrayBufferView): Uint8Array<ArrayBuffer> {
  return new Uint8Array(view.buffer as ArrayBuffer, view.byteOffset, view.byteLength);
}
