import { replaceMember } from './replace-member.ts';
import type { ReaderOptions, ReadResult, StreamSource } from './web-stream-source.ts';

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
