import { types } from 'node:util';
import { isObject, methodOf, read } from '../guards/given-values.ts';
import { reportTrouble } from '../guards/warnings.ts';
import type { ResultDetails } from './recognized/client.ts';
import { cannotFollow, replaceMember } from './replace-members.ts';
import type { Following, ResultObserver, ResultOptions, StreamedOutput } from './result-observer.ts';
import { followWebStream } from './web-stream.ts';

/**
 * Follows the part of `result` that the option `until` names, `(result) => result.textStream`, and gives `result` back.
 *
 * A getter is not called for it: `textStream` of the Vercel AI SDK splits the stream each time it is looked at. So
 * `until` runs on a Proxy that only notes which getter it wants, and what the program gets from that getter is followed.
 */
export function followUntil<Result extends object>(
  result: Result,
  until: NonNullable<ResultOptions['until']>,
  following: Following,
): Result {
  const { observer, follow } = following;
  const wanted = askUntil(result, until);
  if (wanted === undefined) {
    observer.returned(undefined);
    return result;
  }
  if (wanted.getter !== undefined) {
    observer.waits();
    if (!replaceGetter(result, wanted.getter, follow)) {
      reportTrouble(`${observer.label}: until names ${String(wanted.getter)}, which cannot be followed`);
      observer.returned(undefined);
    }
    return result;
  }
  const part = wanted.value;
  const followed = follow(part);
  if (followed === part) return result;
  // A promise or a plain stream has an equivalent, which the program must get in its place.
  const key = Reflect.ownKeys(result).find((each) => read(result, each) === part);
  const isHandedOut = key !== undefined && replaceMember(result, key, followed);
  // A promise that only we hold, such as one that `until` made, must not become an unhandled rejection.
  if (!isHandedOut && types.isPromise(followed)) followed.catch(() => {});
  else if (!isHandedOut) cannotFollow(observer, 'an object with a stream');
  return result;
}

interface Wanted {
  /** The getter that was named. */
  getter?: PropertyKey;
  value?: unknown;
}

function askUntil(result: object, until: (result: never) => unknown): Wanted | undefined {
  const noted = new Map<unknown, PropertyKey>();
  const noting = new Proxy(result, {
    get(target, key) {
      if (!isGetter(target, key)) return read(target, key);
      const placeholder = {};
      noted.set(placeholder, key);
      return placeholder;
    },
  });
  try {
    const value = until(noting as never);
    const getter = noted.get(value);
    if (getter !== undefined) return { getter };
    if (noted.size === 0) return isObject(value) ? { value } : undefined;
  } catch {
    // It does more with the getter's value than name it; it is asked again with the result itself.
  }
  try {
    return { value: until(result as never) };
  } catch (error) {
    reportTrouble('asking the option until', error);
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
 * They fetch on their own as soon as they are made, and tell of it by events.
 */
export function isEventStream(value: object): boolean {
  return ['_emit', 'on', 'done', 'abort'].every((method) => methodOf(value, method) !== undefined);
}

/** The events that carry what the server sent, one an event: anthropic's, those of chat completions, of responses. */
const CHUNK_EVENTS: ReadonlySet<unknown> = new Set(['streamEvent', 'chunk', 'event']);

/**
 * Follows a helper through its own `_emit`. A listener of ours for `error` would hide an error from a program that has
 * none, for which the helper makes an unhandled rejection.
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
  const emit = methodOf(helper, '_emit') as unknown as (this: object, ...given: unknown[]) => unknown;
  const deliver = (given: unknown[]): unknown => emit.apply(helper, given);
  const door = (...given: unknown[]): unknown => {
    const [event, detail] = given;
    if (CHUNK_EVENTS.has(event)) output.chunk(detail);
    else if (event === 'abort') output.left();
    else if (event === 'error') output.failed(detail);
    else if (event === 'end') output.completed();
    return observer.runOutside(deliver, given);
  };
  if (!replaceMember(helper, '_emit', door)) cannotFollow(observer, 'a stream');
  return helper;
}

/** What `streamText` of the Vercel AI SDK returns at once, while the model is only being asked. */
export function isStreamText(value: object): boolean {
  return (
    methodOf(value, 'teeStream') !== undefined &&
    methodOf(value, 'consumeStream') !== undefined &&
    'textStream' in value
  );
}

/**
 * Follows the result of `streamText`. Whatever the program takes from it (`textStream`, `text`, a UI message stream, a
 * Response) is a branch of one stream. The first branch to be read to its end ends the step; leaving one does when no
 * other is open.
 */
export function followStreamText<Result extends object>(
  result: Result,
  newOutput: (details: ResultDetails) => StreamedOutput,
  observer: ResultObserver,
): Result {
  const tee = methodOf(result, 'teeStream') as unknown as () => ReadableStream<unknown>;
  const openBranches = new Set<StreamedOutput>();
  const details: ResultDetails = {};
  const door = (): ReadableStream<unknown> => {
    const output = newOutput(details).asOneOf(openBranches);
    return followWebStream(tee.call(result), output, observer);
  };
  if (replaceMember(result, 'teeStream', door)) observer.waits();
  else cannotFollow(observer, 'a result of streamText');
  return result;
}

/** A page of a list of openai or anthropic: it is there as a whole, and iterating over it asks for the pages after it. */
export function isPage(value: object): boolean {
  return methodOf(value, 'iterPages') !== undefined && methodOf(value, 'getNextPage') !== undefined;
}

/** What `withResponse()` of the clients' promises resolves with: the answer beside the HTTP response that carried it. */
export function findDataBesideResponse(value: object): object | undefined {
  if (!('data' in value) || !('response' in value) || !('request_id' in value)) return undefined;
  const data = read(value, 'data');
  return isObject(data) ? data : undefined;
}
