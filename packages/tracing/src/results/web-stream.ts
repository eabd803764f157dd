import { methodOf } from '../guards/program-objects.ts';
import { cannotFollow, replaceMember } from './replace-member.ts';
import type { ResultObserver } from './result-observer.ts';
import type { StreamedOutput } from './streamed-output.ts';
import { shortenReads } from './web-stream-readers.ts';
import { StreamSource } from './web-stream-source.ts';

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
