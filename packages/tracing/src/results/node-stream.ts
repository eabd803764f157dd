import { isObject, methodOf, read } from '../guards/given-values.ts';
import type { Method } from '../guards/given-values.ts';
import { cannotFollow, replaceMember } from './replace-members.ts';
import type { ResultObserver, StreamedOutput } from './result-observer.ts';

/** A Node `Readable`, or one of the `readable-stream` package; a stream that can only be written to is a plain value. */
export function isNodeStream(value: object): boolean {
  return (
    methodOf(value, 'pipe') !== undefined &&
    methodOf(value, 'on') !== undefined &&
    methodOf(value, 'read') !== undefined &&
    isObject(read(value, '_readableState'))
  );
}

const LEFT_CODES: ReadonlySet<unknown> = new Set(['ABORT_ERR', 'ERR_STREAM_PREMATURE_CLOSE', 'ERR_STREAM_DESTROYED']);

/**
 * Whether a stream that is destroyed with `error` was only left by its consumer, as Node says it: a loop that was left,
 * a pipeline whose other end closed. An abort that has a cause is an error like others: a time-out, for one.
 */
function saysThatConsumerLeft(error: unknown): boolean {
  if (error === undefined || error === null) return true;
  return isObject(error) && LEFT_CODES.has(read(error, 'code')) && read(error, 'cause') === undefined;
}

/**
 * Follows a Node stream through its own `emit`: each chunk is emitted as `data`, however it is read, and no listener is
 * added, because a listener for `error` would hide one that nobody handles, and one for `data` would start the stream.
 * `headMs`: see {@link ResultObserver.waits}.
 */
export function followNodeStream<Stream extends object>(
  stream: Stream,
  output: StreamedOutput,
  observer: ResultObserver,
  headMs?: number,
): Stream {
  if (endsAtOnce(stream, output)) return stream;
  const emit = methodOf(stream, 'emit');
  if (emit === undefined || !replaceMember(stream, 'emit', emitDoor(stream, emit, output, observer))) {
    cannotFollow(observer, 'a stream');
    return stream;
  }
  const pull = methodOf(stream, 'read');
  if (pull !== undefined) replaceMember(stream, 'read', readDoor(pull, output));
  const destroy = methodOf(stream, 'destroy');
  if (destroy !== undefined) replaceMember(stream, 'destroy', destroyDoor(stream, destroy, output));
  // The code that fills the stream, such as the generator of `Readable.from`.
  const produce = methodOf(stream, '_read') as ((this: unknown, size: number) => unknown) | undefined;
  if (produce !== undefined) {
    const fill = (size: number): unknown => produce.call(stream, size);
    replaceMember(stream, '_read', (size: number) => observer.runInside(fill, size));
  }
  observer.waits(headMs);
  return stream;
}

/** A stream that was over before the step returned it. */
function endsAtOnce(stream: object, output: StreamedOutput): boolean {
  const error = read(stream, 'errored');
  if (isObject(error)) output.failed(error);
  else if (read(stream, 'readableEnded') === true) output.completed();
  else if (read(stream, 'destroyed') === true) output.left();
  else return false;
  return true;
}

function emitDoor(stream: object, emit: Method, output: StreamedOutput, observer: ResultObserver): Method {
  const original = emit as unknown as (this: unknown, ...given: unknown[]) => boolean;
  const deliver = (given: unknown[]): boolean => original.apply(stream, given);
  const deliverChunk = (chunk: unknown): boolean => original.call(stream, 'data', chunk);
  const deliverReadable = (): boolean => original.call(stream, 'readable');
  return function (this: unknown, event: unknown, detail?: unknown, ...others: unknown[]): unknown {
    const { isOver } = observer;
    // Listeners belong to the consumer, although the stream is filled inside the step.
    if (event === 'data' && !isOver) {
      output.begins();
      output.chunk(detail);
      return observer.runOutside(deliverChunk, detail);
    }
    if (event === 'readable' && !isOver) return observer.runOutside(deliverReadable, undefined);
    const given = arguments.length === 1 ? [event] : [event, detail, ...others];
    if (isOver) return deliver(given);
    if (event === 'end') output.completed();
    else if (event === 'error') {
      if (saysThatConsumerLeft(detail)) output.left();
      else output.failed(detail);
    } else if (event === 'close') {
      // Without an `end` or an `error` before it.
      output.left();
    }
    return observer.runOutside(deliver, given);
  } as Method;
}

/** `read(0)` is how a stream fills its own buffer; every other call is somebody who wants a chunk. */
function readDoor(pull: Method, output: StreamedOutput): Method {
  const original = pull as unknown as (this: unknown, size?: unknown) => unknown;
  return function (this: unknown, size?: unknown): unknown {
    if (size !== 0) output.begins();
    return original.call(this, size);
  } as Method;
}

function destroyDoor(stream: object, destroy: Method, output: StreamedOutput): Method {
  const original = destroy as unknown as (this: unknown, ...given: unknown[]) => unknown;
  return function (this: unknown, ...given: unknown[]): unknown {
    const isOver = read(stream, 'readableEnded') === true || read(stream, 'destroyed') === true;
    if (!isOver && saysThatConsumerLeft(given[0])) output.left();
    return original.apply(this, given);
  } as Method;
}
