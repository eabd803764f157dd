import { cannotFollow, methodOf, replaceMember } from './replace-member.ts';
import type { ResultObserver } from './result-observer.ts';
import type { StreamedOutput } from './streamed-output.ts';

export function isWebStream(value: object): value is ReadableStream<unknown> {
  return (
    methodOf(value, 'getReader') !== undefined &&
    methodOf(value, 'pipeTo') !== undefined &&
    methodOf(value, 'tee') !== undefined
  );
}

/**
 * Follows a `ReadableStream`. A plain one comes back as an equivalent stream, a byte stream as a byte stream, which
 * asks the original for a chunk only when its own consumer does. A subclass stays the same object: what it hands out
 * (readers, branches, pipes) comes from such an equivalent. `headMs`: see {@link ResultObserver.waits}.
 */
export function followWebStream(
  stream: ReadableStream<unknown>,
  output: StreamedOutput,
  observer: ResultObserver,
  headMs?: number,
): ReadableStream<unknown> {
  if (stream.locked) {
    // Somebody reads it already; it cannot be read a second time.
    observer.returned(undefined);
    return stream;
  }
  const followed = equivalentOf(stream, output, observer);
  observer.waits(headMs);
  if (Object.getPrototypeOf(stream) === ReadableStream.prototype) {
    keepOwnMembers(stream, followed);
    return followed;
  }
  return handOutFrom(stream, followed, observer);
}

/**
 * The same object, whose functions are those of `followed`. Used for what must keep its identity: a subclass, and the
 * body of a Response.
 */
function handOutFrom(
  stream: ReadableStream<unknown>,
  followed: ReadableStream<unknown>,
  observer: ResultObserver,
): ReadableStream<unknown> {
  const members = ['getReader', 'cancel', 'tee', 'pipeTo', 'pipeThrough', 'values', Symbol.asyncIterator] as const;
  for (const member of members) {
    const method = followed[member as 'getReader'].bind(followed);
    if (!replaceMember(stream, member, method)) {
      cannotFollow(observer, 'a stream');
      return stream;
    }
  }
  Reflect.defineProperty(stream, 'locked', { configurable: true, get: () => followed.locked });
  return stream;
}

/** Libraries make streams iterable in their own way, or hang a promise on one. */
function keepOwnMembers(from: object, to: object): void {
  for (const key of [...Object.keys(from), Symbol.asyncIterator]) {
    const own = Object.getOwnPropertyDescriptor(from, key);
    if (own !== undefined) Reflect.defineProperty(to, key, own);
  }
}

function equivalentOf(
  stream: ReadableStream<unknown>,
  output: StreamedOutput,
  observer: ResultObserver,
): ReadableStream<unknown> {
  const source = new StreamSource(stream, output, observer);
  const pull = (controller: Controller): Promise<void> => source.pull(controller);
  const cancel = (reason: unknown): Promise<void> => source.cancel(reason);
  return isByteStream(stream)
    ? new ReadableStream({ type: 'bytes', pull, cancel }, { highWaterMark: 0 })
    : new ReadableStream({ pull, cancel }, { highWaterMark: 0 });
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

type Controller = ReadableStreamDefaultController<unknown> | ReadableByteStreamController;
type Reader = ReadableStreamDefaultReader<unknown> | ReadableStreamBYOBReader;

/** The original of a followed stream. It is locked from the first read on, not before. */
class StreamSource {
  // Kept from before the object's own functions are replaced.
  readonly #getReader: ReadableStream<unknown>['getReader'];
  readonly #cancel: ReadableStream<unknown>['cancel'];
  readonly #output: StreamedOutput;
  readonly #observer: ResultObserver;
  #reader: Reader | undefined;
  #isOver = false;

  constructor(stream: ReadableStream<unknown>, output: StreamedOutput, observer: ResultObserver) {
    this.#getReader = stream.getReader.bind(stream) as ReadableStream<unknown>['getReader'];
    this.#cancel = stream.cancel.bind(stream);
    this.#output = output;
    this.#observer = observer;
  }

  async pull(controller: Controller): Promise<void> {
    this.#output.begins();
    const request = 'byobRequest' in controller ? controller.byobRequest : null;
    let chunk: { done: boolean; value?: unknown };
    try {
      const view = request?.view;
      chunk = await this.#observer.runInside(
        () => (view ? this.#byobReader(controller).read(viewOf(view)) : this.#defaultReader(controller).read()),
        undefined,
      );
    } catch (error) {
      this.#fail(controller, error);
      return;
    }
    if (this.#isOver) return;
    if (chunk.done) {
      this.#isOver = true;
      this.#output.completed();
      controller.close();
      if (request) request.respond(0);
      return;
    }
    this.#output.chunk(chunk.value);
    if (request) request.respondWithNewView(chunk.value as ArrayBufferView<ArrayBuffer>);
    else controller.enqueue(chunk.value as ArrayBufferView<ArrayBuffer>);
  }

  async cancel(reason: unknown): Promise<void> {
    if (!this.#isOver) {
      this.#isOver = true;
      this.#output.left();
    }
    await (this.#reader === undefined ? this.#cancel(reason) : this.#reader.cancel(reason));
  }

  #fail(controller: Controller, error: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#output.failed(error);
    controller.error(error);
  }

  #defaultReader(controller: Controller): ReadableStreamDefaultReader<unknown> {
    if (this.#reader !== undefined
      && !isByobReader(this.#reader)) return this.#reader;
    this.#reader?.releaseLock();
    const reader = this.#getReader();
    this.#hold(controller, reader);
    return reader;
  }

  #byobReader(controller: Controller): ReadableStreamBYOBReader {
    if (this.#reader !== undefined && isByobReader(this.#reader)) return this.#reader;
    this.#reader?.releaseLock();
    const reader = this.#getReader({ mode: 'byob' });
    this.#hold(controller, reader);
    return reader;
  }

  /** A failure between two reads reaches the consumer at once, as it does from the original. */
  #hold(controller: Controller, reader: Reader): void {
    this.#reader = reader;
    reader.closed.catch((error: unknown) => {
      if (this.#reader === reader) this.#fail(controller, error);
    });
  }
}

function isByobReader(reader: Reader): reader is ReadableStreamBYOBReader {
  return reader instanceof ReadableStreamBYOBReader;
}

/** What a byte stream's consumer wants filled, as the original's consumer would ask for it. */
function viewOf(view: ArrayBufferView): Uint8Array<ArrayBuffer> {
  return new Uint8Array(view.buffer as ArrayBuffer, view.byteOffset, view.byteLength);
}
