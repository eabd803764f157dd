import { methodOf } from '../guards/given-values.ts';
import { cannotFollow, replaceMember } from './replace-members.ts';
import type { ResultObserver, StreamedOutput } from './result-observer.ts';
import { StreamSource } from './web-stream-source.ts';
import type { ReaderOptions, ReadResult } from './web-stream-source.ts';

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
  const followed = equivalentOf(new StreamSource(stream, output, observer));
  if (Object.getPrototypeOf(stream) === ReadableStream.prototype) keepOwnMembers(stream, followed);
  else if (!handOutFrom(stream, followed)) {
    cannotFollow(observer, 'a stream');
    return stream;
  }
  observer.waits(headMs);
  return Object.getPrototypeOf(stream) === ReadableStream.prototype ? followed : stream;
}

function equivalentOf(source: StreamSource): ReadableStream<unknown> {
  const start = (controller: ReadableStreamDefaultController<unknown> | ReadableByteStreamController): void =>
    source.start(controller);
  const pull = (controller: ReadableStreamDefaultController<unknown> | ReadableByteStreamController): Promise<void> =>
    source.pull(controller);
  const cancel = (reason: unknown): Promise<void> => source.cancel(reason);
  const followed = source.isByteStream
    ? new ReadableStream({ type: 'bytes', start, pull, cancel }, { highWaterMark: 0 })
    : new ReadableStream({ start, pull, cancel }, { highWaterMark: 0 });
  shortenReads(followed, source);
  return followed;
}

/** Libraries make streams iterable in their own way, or hang a promise on one. */
function keepOwnMembers(from: object, to: object): void {
  for (const key of [...Object.keys(from), Symbol.asyncIterator]) {
    const own = Object.getOwnPropertyDescriptor(from, key);
    if (own !== undefined) Reflect.defineProperty(to, key, own);
  }
}

/** Gives `stream` the functions of `followed`; false where it refuses them. */
function handOutFrom(stream: ReadableStream<unknown>, followed: ReadableStream<unknown>): boolean {
  const members = ['getReader', 'cancel', 'tee', 'pipeTo', 'pipeThrough', 'values', Symbol.asyncIterator] as const;
  const areReplaced = members.every((member) =>
    replaceMember(stream, member, (followed[member] as (...given: unknown[]) => unknown).bind(followed)),
  );
  return areReplaced && Reflect.defineProperty(stream, 'locked', { configurable: true, get: () => followed.locked });
}

type AnyReader = { read(view?: ArrayBufferView, options?: unknown): Promise<ReadResult>; releaseLock(): void };

/**
 * Lets the readers and iterators of `followed` ask `source` themselves, which halves what a chunk costs. They are the
 * stream's own: it is locked, released and cancelled through them as ever. The first read goes through the stream, so
 * that it counts as read (`bodyUsed`).
 */
export function shortenReads(followed: ReadableStream<unknown>, source: StreamSource): void {
  const getReader = (options?: ReaderOptions): AnyReader => {
    const reader = ReadableStream.prototype.getReader.call(followed, options as never) as unknown as AnyReader;
    shortenReader(reader, options?.mode === 'byob', source);
    return reader;
  };
  replaceMember(followed, 'getReader', getReader);
  const values = (options?: { preventCancel?: boolean }): AsyncIterableIterator<unknown> =>
    newIterator(getReader() as unknown as ReadableStreamDefaultReader<unknown>, options?.preventCancel === true);
  replaceMember(followed, 'values', values);
  replaceMember(followed, Symbol.asyncIterator, values);
}

function shortenReader(reader: AnyReader, isByobReader: boolean, source: StreamSource): void {
  const readThroughStream = reader.read.bind(reader);
  const releaseLock = reader.releaseLock.bind(reader);
  let readsThroughStream = 0;
  let isShort = false;
  let isReleased = false;
  const onRead = (): void => {
    readsThroughStream -= 1;
    isShort = readsThroughStream === 0;
  };
  const onChunk = (chunk: ReadResult): ReadResult => {
    onRead();
    return chunk;
  };
  const onError = (error: unknown): never => {
    onRead();
    throw error;
  };
  const read = function (...given: [ArrayBufferView?, unknown?]): Promise<ReadResult> {
    if (isShort && !isReleased && (!isByobReader || canBeFilled(given[0]))) return source.read(...given);
    readsThroughStream += 1;
    return readThroughStream(...given).then(onChunk, onError);
  };
  replaceMember(reader, 'read', read);
  replaceMember(reader, 'releaseLock', () => {
    isReleased = true;
    releaseLock();
  });
}

/** What the stream itself refuses (no view, or one of no bytes) it shall refuse. */
function canBeFilled(view: ArrayBufferView | undefined): boolean {
  return ArrayBuffer.isView(view) && view.byteLength > 0;
}

const ASYNC_ITERATOR_PROTOTYPE = Object.getPrototypeOf(
  Object.getPrototypeOf(async function* () {}.prototype),
) as object;

/** What the standard says of a stream's iterator: it reads in turn, and leaving it cancels the stream. */
function newIterator(
  reader: ReadableStreamDefaultReader<unknown>,
  preventCancel: boolean,
): AsyncIterableIterator<unknown> {
  let isDone = false;
  let last: Promise<unknown> | undefined;
  let openTurns = 0;
  const inTurn = (run: () => Promise<IteratorResult<unknown>>): Promise<IteratorResult<unknown>> => {
    openTurns += 1;
    const turn = last === undefined ? run() : last.then(run, run);
    last = turn;
    return turn;
  };
  const endTurn = (): void => {
    openTurns -= 1;
    if (openTurns === 0) last = undefined;
  };
  const over = (value?: unknown): IteratorResult<unknown> => {
    if (!isDone) reader.releaseLock();
    isDone = true;
    endTurn();
    return { done: true, value };
  };
  const onRead = (chunk: ReadResult): IteratorResult<unknown> => {
    if (chunk.done) return over();
    endTurn();
    return chunk as IteratorYieldResult<unknown>;
  };
  const onError = (error: unknown): never => {
    over();
    throw error;
  };
  const next = (): Promise<IteratorResult<unknown>> =>
    isDone ? Promise.resolve(over()) : (reader.read() as Promise<ReadResult>).then(onRead, onError);
  const leave = async (value: unknown): Promise<IteratorResult<unknown>> => {
    const cancelled = isDone || preventCancel ? undefined : reader.cancel(value);
    const result = over(value);
    await cancelled;
    return result;
  };
  return Object.assign(Object.create(ASYNC_ITERATOR_PROTOTYPE) as AsyncIterableIterator<unknown>, {
    next: () => inTurn(next),
    return: (value?: unknown) => inTurn(() => leave(value)),
  });
}
