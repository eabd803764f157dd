import { types } from 'node:util';
import { isObject, methodOf, read } from '../guards/given-values.ts';
import type { Method } from '../guards/given-values.ts';
import { followNodeStream, isNodeStream } from './node-stream.ts';
import { cannotFollow, replaceMember } from './replace-members.ts';
import type { Following, StreamedOutput } from './result-observer.ts';
import { followWebStream, isWebStream } from './web-stream.ts';

/** A WHATWG `Response`: of Node's own `fetch`, of the undici package, or of another library. */
export function isResponse(value: object): boolean {
  return (
    typeof read(value, 'status') === 'number' &&
    methodOf(value, 'arrayBuffer') !== undefined &&
    methodOf(value, 'clone') !== undefined &&
    'body' in value
  );
}

const BODY_READERS = ['json', 'text', 'arrayBuffer', 'bytes', 'blob', 'formData'] as const;

/**
 * Follows a Response: the step lasts until its body was read, by one of its functions, as a stream, or through a clone.
 * Where nobody reads the body, its head was the result, and the step ended with that.
 */
export function followResponse<Response extends object>(
  response: Response,
  newOutput: () => StreamedOutput,
  following: Following,
): Response {
  const { observer } = following;
  const body = read(response, 'body');
  if (!isObject(body) || read(response, 'bodyUsed') === true) {
    observer.returned(undefined);
    return response;
  }
  const headMs = performance.now();
  if (!replaceBody(response, newOutput, following, headMs)) {
    cannotFollow(observer, 'a response');
    return response;
  }
  for (const key of BODY_READERS) {
    const original = methodOf(response, key);
    if (original !== undefined) replaceMember(response, key, readerDoor(response, original, following));
  }
  const clone = methodOf(response, 'clone') as unknown as () => object;
  replaceMember(response, 'clone', () => followResponse(clone.call(response), newOutput, following));
  observer.waits(headMs);
  return response;
}

/** A body that is read as a whole has no chunks of its own: its text, or the object in its JSON, is the result. */
function readerDoor(response: object, original: Method, { observer, follow }: Following): Method {
  const readBody = original as unknown as (this: object) => unknown;
  return function (): unknown {
    observer.begins();
    const whole = observer.runInside(() => readBody.call(response), undefined);
    if (!types.isPromise(whole)) return whole;
    return whole.then(follow, (error: unknown) => {
      observer.threw(error);
      throw error;
    });
  } as Method;
}

/** `response.body` gives the same stream each time, until a clone takes its place; it is followed when it is looked at. */
function replaceBody(
  response: object,
  newOutput: () => StreamedOutput,
  { observer }: Following,
  headMs: number,
): boolean {
  const bodyOf = bodyGetterOf(response);
  let body: object | null | undefined;
  let followed: object | null | undefined;
  const get = (): object | null | undefined => {
    const current = bodyOf();
    if (current !== body) {
      body = current;
      followed = isObject(current) ? followBody(current, newOutput(), observer, headMs) : current;
    }
    return followed;
  };
  try {
    return Reflect.defineProperty(response, 'body', { configurable: true, enumerable: false, get });
  } catch {
    // A Proxy that throws instead of refusing: the same answer.
    return false;
  }
}

function bodyGetterOf(response: object): () => object | null | undefined {
  const own = Object.getOwnPropertyDescriptor(response, 'body');
  if (own === undefined)
    return () => Reflect.get(Object.getPrototypeOf(response) as object, 'body', response) as object;
  return own.get === undefined ? () => own.value as object : () => own.get!.call(response) as object;
}

function followBody(body: object, output: StreamedOutput, observer: Following['observer'], headMs: number): object {
  if (observer.isOver) return body;
  if (isWebStream(body)) return followWebStream(body, output, observer, headMs);
  return isNodeStream(body) ? followNodeStream(body, output, observer, headMs) : body;
}

/**
 * The stream of a response's body in what HTTP clients without `Response` return: `body` of undici's `request`, `data`
 * of axios with `responseType: 'stream'`, or the response itself, `IncomingMessage` of Node.
 */
export function findBodyStream(value: object): object | undefined {
  if (isNodeStream(value)) return typeof read(value, 'statusCode') === 'number' ? value : undefined;
  if (typeof read(value, 'statusCode') === 'number') return nodeStreamAt(value, 'body');
  return typeof read(value, 'status') === 'number' && 'headers' in value ? nodeStreamAt(value, 'data') : undefined;
}

function nodeStreamAt(value: object, key: string): object | undefined {
  const stream = read(value, key);
  return isObject(stream) && isNodeStream(stream) ? stream : undefined;
}
