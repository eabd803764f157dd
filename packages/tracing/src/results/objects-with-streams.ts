import { types } from 'node:util';
import { isObject, methodOf, read } from '../guards/untrusted-values.ts';
import { reportInternalError } from '../guards/warnings.ts';
import type { ResultDetails } from './recognized/client.ts';
import { cannotFollow, replaceMember } from './replace-members.ts';
import type { Following, ResultObserver, ResultOptions, StreamedOutput } from './result-observer.ts';
import { followWebStream } from './web-stream.ts';

/**
 * Follows the part of `result` that the option `until` selects, `(result) => result.textStream`, and returns `result`.
 *
 * Getters are not called for this: `textStream` of the Vercel AI SDK splits the stream on each access. Instead, `until`
 * is called with a Proxy that records which getter it reads, and what the program gets from that getter is followed.
 */
export function followUntil<Result extends object>(
  result: Result,
  until: NonNullable<ResultOptions['until']>,
  following: Following,
): Result {
  const { observer, follow } = following;
  const selection = callUntil(result, until);
  if (selection === undefined) {
    observer.returned(undefined);
    return result;
  }
  if (selection.getter !== undefined) {
    observer.awaitsConsumer();
    if (!replaceGetter(result, selection.getter, follow)) {
      reportInternalError(`${observer.label}: until selects ${String(selection.getter)}, which cannot be followed`);
      observer.returned(undefined);
    }
    return result;
  }
  const part = selection.value;
  const followed = follow(part);
  if (followed === part) return result;
  // A promise or plain stream has an equivalent, which must replace it in the result.
  const key = Reflect.ownKeys(result).find((each) => read(result, each) === part);
  const isReplaced = key !== undefined && replaceMember(result, key, followed);
  // A promise that only we reference, such as one that `until` created, must not cause an unhandled rejection.
  if (!isReplaced && types.isPromise(followed)) followed.catch(() => {});
  else if (!isReplaced) cannotFollow(observer, 'an object with a stream');
  return result;
}

interface Selection {
  /** The getter that `until` read. */
  getter?: PropertyKey;
  value?: unknown;
}

function callUntil(result: object, until: (result: never) => unknown): Selection | undefined {
  const gettersRead = new Map<unknown, PropertyKey>();
  const proxy = new Proxy(result, {
    get(target, key) {
      if (!isGetter(target, key)) return read(target, key);
      const placeholder = {};
      gettersRead.set(placeholder, key);
      return placeholder;
    },
  });
  try {
    const value = until(proxy as never);
    const getter = gettersRead.get(value);
    if (getter !== undefined) return { getter };
    if (gettersRead.size === 0) return isObject(value) ? { value } : undefined;
  } catch {
    // `until` uses the getter's value, so it is called again with the result itself.
  }
  try {
    return { value: until(result as never) };
  } catch (error) {
    reportInternalError('calling the option until', error);
    return undefined;
  }
}

function isGetter(source: object, key: PropertyKey): boolean {
  return getterOf(source, key) !== undefined;
}

function getterOf(source: object, key: PropertyKey): (() => unknown) | undefined {
  let level: object | null = source;
  while (level !== null) {
    const descriptor = Object.getOwnPropertyDescriptor(level, key);
    if (descriptor !== undefined) return descriptor.get;
    level = Object.getPrototypeOf(level) as object | null;
  }
  return undefined;
}

function replaceGetter(result: object, key: PropertyKey, follow: Following['follow']): boolean {
  const original = getterOf(result, key)!;
  let value: unknown;
  let followed: unknown;
  const get = function (this: object): unknown {
    const current = original.call(this);
    if (current !== value || !isObject(current)) {
      value = current;
      followed = follow(current);
    }
    return followed;
  };
  try {
    return Reflect.defineProperty(result, key, { configurable: true, get });
  } catch {
    return false;
  }
}

/**
 * The stream helpers of openai and anthropic: `messages.stream()`, `chat.completions.stream()`, `responses.stream()`.
 * They start fetching as soon as they are created, and emit events.
 */
export function isEventStream(value: object): boolean {
  return ['_emit', 'on', 'done', 'abort'].every((method) => methodOf(value, method) !== undefined);
}

/** The events with a chunk from the server: those of anthropic, of chat completions, and of responses. */
const CHUNK_EVENTS: ReadonlySet<unknown> = new Set(['streamEvent', 'chunk', 'event']);

/**
 * Follows a helper by replacing its `_emit`. Adding a listener for `error` would suppress the unhandled rejection that
 * the helper causes in a program without one.
 */
export function followEventStream<Helper extends object>(
  helper: Helper,
  output: StreamedOutput,
  observer: ResultObserver,
): Helper {
  if (read(helper, 'ended') === true) {
    observer.returned(undefined);
    return helper;
  }
  const emit = methodOf(helper, '_emit') as unknown as (this: object, ...args: unknown[]) => unknown;
  const deliver = (args: unknown[]): unknown => emit.apply(helper, args);
  const emitAndObserve = (...args: unknown[]): unknown => {
    const [event, detail] = args;
    if (CHUNK_EVENTS.has(event)) output.chunk(detail);
    // The promises of the helper reject with the same error, which must mean the same to what is around the step.
    else if (event === 'abort' || event === 'error') output.failed(detail);
    else if (event === 'end') output.completed();
    return observer.runConsumer(deliver, args);
  };
  if (!replaceMember(helper, '_emit', emitAndObserve)) cannotFollow(observer, 'a stream');
  return helper;
}

/** The result of `streamText` of the Vercel AI SDK, which returns before the model responds. */
export function isStreamText(value: object): boolean {
  return (
    methodOf(value, 'teeStream') !== undefined &&
    methodOf(value, 'consumeStream') !== undefined &&
    'textStream' in value
  );
}

/**
 * Follows the result of `streamText`. Whatever the program reads from it (`textStream`, `text`, a UI message stream, a
 * Response) is a branch of one stream. The first branch that is read to its end ends the step; cancelling a branch ends
 * it only if no other is open.
 */
export function followStreamText<Result extends object>(
  result: Result,
  newOutput: (details: ResultDetails) => StreamedOutput,
  observer: ResultObserver,
): Result {
  const tee = methodOf(result, 'teeStream') as unknown as () => ReadableStream<unknown>;
  const openBranches = new Set<StreamedOutput>();
  const details: ResultDetails = {};
  const teeAndObserve = (): ReadableStream<unknown> => {
    const output = newOutput(details).asBranchOf(openBranches);
    return followWebStream(tee.call(result), output, observer);
  };
  if (replaceMember(result, 'teeStream', teeAndObserve)) observer.awaitsConsumer();
  else cannotFollow(observer, 'a result of streamText');
  return result;
}

/**
 * A page of a list of openai or anthropic: it is complete itself, and iterating over it fetches the following pages.
 */
export function isPage(value: object): boolean {
  return methodOf(value, 'iterPages') !== undefined && methodOf(value, 'getNextPage') !== undefined;
}

/** The data in what `withResponse()` of the clients resolves with: `{ data, response, request_id }`. */
export function findDataBesideResponse(value: object): object | undefined {
  if (!('data' in value) || !('response' in value) || !('request_id' in value)) return undefined;
  const data = read(value, 'data');
  return isObject(data) ? data : undefined;
}
