import { isObject, methodOf, read } from '../guards/given-values.ts';
import type { ResultDetails } from './recognized/client.ts';
import { cannotFollow, replaceMember } from './replace-members.ts';
import type { ResultObserver, StreamedOutput } from './result-observer.ts';
import { followWebStream } from './web-stream.ts';

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
