import { isObject, methodOf, read } from '../guards/untrusted-values.ts';
import type { Method } from '../guards/untrusted-values.ts';
import { cannotFollow, replaceMember } from './replace-members.ts';
import type { ResultObserver, StreamedOutput } from './result-observer.ts';

/**
 * A Node `Readable`, or one of the `readable-stream` package. A stream that is only writable is treated as a plain
 * value.
 */
export function isNodeStream(value: object): boolean {
  return (
    methodOf(value, 'pipe') !== undefined &&
    methodOf(value, 'on') !== undefined &&
    methodOf(value, 'read') !== undefined &&
    isObject(read(value, '_readableState'))
  );
}

const CANCELLATION_CODES: ReadonlySet<unknown> = new Set([
  'ABORT_ERR',
  'ERR_STREAM_PREMATURE_CLOSE',
  'ERR_STREAM_DESTROYED',
]);

/**
 * Whether `error`, with which a stream was destroyed, only means that the consumer stopped early: a `for await` loop
 * that was exited, a pipeline whose destination closed. An abort with a cause, such as a timeout, is an error like any
 * other.
 */
function isCancellation(error: unknown): boolean {
  if (error === undefined || error === null) return true;
  return isObject(error) && CANCELLATION_CODES.has(read(error, 'code')) && read(error, 'cause') === undefined;
}

/**
 * Follows a Node stream by replacing its `emit`: each chunk is emitted as `data`, however it is read. No listener is
 * added, because one for `error` would hide unhandled errors, and one for `data` would start the stream.
 * `headMs`: see {@link ResultObserver.awaitsConsumer}.
 */
export function followNodeStream<Stream extends object>(
  stream: Stream,
  output: StreamedOutput,
  observer: ResultObserver,
  headMs?: number,
): Stream {
  if (endsAtOnce(stream, observer)) return stream;
  const emit = methodOf(stream, 'emit');
  if (emit === undefined || !replaceMember(stream, 'emit', interceptEmit(stream, emit, output, observer))) {
    cannotFollow(observer, 'a stream');
    return stream;
  }
  const pull = methodOf(stream, 'read');
  if (pull !== undefined) replaceMember(stream, 'read', interceptRead(pull, output));
  for (const key of ['resume', 'on', 'addListener'] as const) {
    const start = methodOf(stream, key);
    if (start !== undefined) replaceMember(stream, key, interceptStart(start, output));
  }
  const destroy = methodOf(stream, 'destroy');
  if (destroy !== undefined) replaceMember(stream, 'destroy', interceptDestroy(stream, destroy, output));
  // The code that fills the stream, such as the generator of `Readable.from`.
  const produce = methodOf(stream, '_read') as ((this: unknown, size: number) => unknown) | undefined;
  if (produce !== undefined) {
    const fill = (size: number): unknown => produce.call(stream, size);
    replaceMember(stream, '_read', (size: number) => observer.runProducer(fill, size));
  }
  observer.awaitsConsumer(headMs);
  return stream;
}

/**
 * Ends the step if the stream had ended before the step returned it, such as the response of got, whose body was read.
 * Its chunks are not known.
 */
function endsAtOnce(stream: object, observer: ResultObserver): boolean {
  const error = read(stream, 'errored');
  if (isObject(error)) observer.threw(error);
  else if (read(stream, 'readableEnded') === true) observer.returned(undefined);
  else if (read(stream, 'destroyed') === true) observer.cancelled();
  else return false;
  return true;
}

function interceptEmit(stream: object, emit: Method, output: StreamedOutput, observer: ResultObserver): Method {
  const original = emit as unknown as (this: unknown, ...args: unknown[]) => boolean;
  const deliver = (args: unknown[]): boolean => original.apply(stream, args);
  const deliverChunk = (chunk: unknown): boolean => original.call(stream, 'data', chunk);
  const deliverReadable = (): boolean => original.call(stream, 'readable');
  return function (this: unknown, event: unknown, detail?: unknown, ...others: unknown[]): unknown {
    const { isOver } = observer;
    // Listeners belong to the consumer and run in its context, although the stream is filled in that of the step.
    if (event === 'data' && !isOver) {
      output.readingStarted();
      output.chunk(detail);
      return observer.runConsumer(deliverChunk, detail);
    }
    if (event === 'readable' && !isOver) return observer.runConsumer(deliverReadable, undefined);
    const args = arguments.length === 1 ? [event] : [event, detail, ...others];
    if (isOver) return deliver(args);
    if (event === 'end') output.completed();
    else if (event === 'error') {
      if (isCancellation(detail)) output.cancelled();
      else output.failed(detail);
    } else if (event === 'close') {
      // Without an `end` or an `error` before it.
      output.cancelled();
    }
    return observer.runConsumer(deliver, args);
  } as Method;
}

/** Streams fill their own buffer with `read(0)`; any other call comes from a consumer. */
function interceptRead(pull: Method, output: StreamedOutput): Method {
  const original = pull as unknown as (this: unknown, size?: unknown) => unknown;
  return function (this: unknown, size?: unknown): unknown {
    if (size !== 0) output.readingStarted();
    return original.call(this, size);
  } as Method;
}

/**
 * Intercepts `resume()` and the adding of listeners, also by `pipe` and `pipeline`. They start the reading, but the first
 * chunk is read on a later tick, when the conversation may have ended.
 */
function interceptStart(start: Method, output: StreamedOutput): Method {
  const original = start as unknown as (this: unknown, ...args: unknown[]) => unknown;
  return function (this: unknown, ...args: unknown[]): unknown {
    const [event] = args;
    if (event === undefined || event === 'data' || event === 'readable') output.readingStarted();
    return original.apply(this, args);
  } as Method;
}

function interceptDestroy(stream: object, destroy: Method, output: StreamedOutput): Method {
  const original = destroy as unknown as (this: unknown, ...args: unknown[]) => unknown;
  return function (this: unknown, ...args: unknown[]): unknown {
    const isOver = read(stream, 'readableEnded') === true || read(stream, 'destroyed') === true;
    if (!isOver && isCancellation(args[0])) output.cancelled();
    return original.apply(this, args);
  } as Method;
}
