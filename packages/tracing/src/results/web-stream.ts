import { methodOf } from '../guards/untrusted-values.ts';
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
 * Follows a `ReadableStream`. A plain one is replaced by an equivalent stream (for a byte stream, a byte stream), which
 * reads from the original only when its own consumer reads. An instance of a subclass remains the same object, but its
 * readers, branches and pipes come from such an equivalent. `headMs`: see {@link ResultObserver.awaitsConsumer}.
 */
export function followWebStream(
  stream: ReadableStream<unknown>,
  output: StreamedOutput,
  observer: ResultObserver,
  headMs?: number,
): ReadableStream<unknown> {
  if (stream.locked) {
    // It already has a reader, and cannot be read a second time.
    observer.returned(undefined);
    return stream;
  }
  const followed = equivalentOf(new StreamSource(stream, output, observer));
  if (Object.getPrototypeOf(stream) === ReadableStream.prototype) keepOwnMembers(stream, followed);
  else if (!delegateTo(stream, followed)) {
    cannotFollow(observer, 'a stream');
    return stream;
  }
  observer.awaitsConsumer(headMs);
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
  bypassQueue(followed, source);
  return followed;
}

/** Copies own properties, because libraries add iterators or promises of their own to streams. */
function keepOwnMembers(from: object, to: object): void {
  for (const key of [...Object.keys(from), Symbol.asyncIterator]) {
    const own = Object.getOwnPropertyDescriptor(from, key);
    if (own !== undefined) Reflect.defineProperty(to, key, own);
  }
}

/** Replaces the methods of `stream` by those of `followed`; false if that is not possible. */
function delegateTo(stream: ReadableStream<unknown>, followed: ReadableStream<unknown>): boolean {
  const members = ['getReader', 'cancel', 'tee', 'pipeTo', 'pipeThrough', 'values', Symbol.asyncIterator] as const;
  const areReplaced = members.every((member) =>
    replaceMember(stream, member, (followed[member] as (...args: unknown[]) => unknown).bind(followed)),
  );
  return areReplaced && Reflect.defineProperty(stream, 'locked', { configurable: true, get: () => followed.locked });
}

type AnyReader = { read(view?: ArrayBufferView, options?: unknown): Promise<ReadResult>; releaseLock(): void };

/**
 * Lets the readers and iterators of `followed` read from `source` directly, which halves the cost of a chunk. They are
 * still real readers of the stream, which they lock, release and cancel. The first read goes through the stream, so
 * that the stream counts as read (`bodyUsed`).
 */
export function bypassQueue(followed: ReadableStream<unknown>, source: StreamSource): void {
  const getReader = (options?: ReaderOptions): AnyReader => {
    const reader = ReadableStream.prototype.getReader.call(followed, options as never) as unknown as AnyReader;
    bypassQueueOf(reader, options?.mode === 'byob', source);
    return reader;
  };
  replaceMember(followed, 'getReader', getReader);
  const values = (options?: { preventCancel?: boolean }): AsyncIterableIterator<unknown> =>
    newIterator(getReader() as unknown as ReadableStreamDefaultReader<unknown>, options?.preventCancel === true);
  replaceMember(followed, 'values', values);
  replaceMember(followed, Symbol.asyncIterator, values);
  // Pipes and branches read their first chunk only later, when the conversation may have ended.
  for (const key of ['pipeTo', 'pipeThrough', 'tee'] as const) {
    // The branches of a byte stream are filled only when they are read.
    if (key === 'tee' && source.isByteStream) continue;
    const start = ReadableStream.prototype[key] as (this: unknown, ...args: unknown[]) => unknown;
    replaceMember(followed, key, (...args: unknown[]) => {
      if (!followed.locked) source.readingStarted();
      return start.apply(followed, args);
    });
  }
}

function bypassQueueOf(reader: AnyReader, isByobReader: boolean, source: StreamSource): void {
  const readThroughStream = reader.read.bind(reader);
  const releaseLock = reader.releaseLock.bind(reader);
  let readsThroughStream = 0;
  let isBypassing = false;
  let isReleased = false;
  const onRead = (): void => {
    readsThroughStream -= 1;
    isBypassing = readsThroughStream === 0;
  };
  const onChunk = (chunk: ReadResult): ReadResult => {
    onRead();
    return chunk;
  };
  const onError = (error: unknown): never => {
    onRead();
    throw error;
  };
  const read = function (...args: [ArrayBufferView?, unknown?]): Promise<ReadResult> {
    if (isBypassing && !isReleased && (!isByobReader || canBeFilled(args[0]))) return source.read(...args);
    source.readingStarted();
    readsThroughStream += 1;
    return readThroughStream(...args).then(onChunk, onError);
  };
  replaceMember(reader, 'read', read);
  replaceMember(reader, 'releaseLock', () => {
    isReleased = true;
    releaseLock();
  });
}

/** Invalid views (none, or one without bytes) are left to the stream itself to reject. */
function canBeFilled(view: ArrayBufferView | undefined): boolean {
  return ArrayBuffer.isView(view) && view.byteLength > 0;
}

const ASYNC_ITERATOR_PROTOTYPE = Object.getPrototypeOf(
  Object.getPrototypeOf(async function* () {}.prototype),
) as object;

/** A stream's iterator as the standard defines it: its calls run one after another, and `return` cancels the stream. */
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
  const finish = (value?: unknown): IteratorResult<unknown> => {
    if (!isDone) reader.releaseLock();
    isDone = true;
    endTurn();
    return { done: true, value };
  };
  const onRead = (chunk: ReadResult): IteratorResult<unknown> => {
    if (chunk.done) return finish();
    endTurn();
    return chunk as IteratorYieldResult<unknown>;
  };
  const onError = (error: unknown): never => {
    finish();
    throw error;
  };
  const next = (): Promise<IteratorResult<unknown>> =>
    isDone ? Promise.resolve(finish()) : (reader.read() as Promise<ReadResult>).then(onRead, onError);
  const cancel = async (value: unknown): Promise<IteratorResult<unknown>> => {
    const cancelled = isDone || preventCancel ? undefined : reader.cancel(value);
    const result = finish(value);
    await cancelled;
    return result;
  };
  return Object.assign(Object.create(ASYNC_ITERATOR_PROTOTYPE) as AsyncIterableIterator<unknown>, {
    next: () => inTurn(next),
    return: (value?: unknown) => inTurn(() => cancel(value)),
  });
}
