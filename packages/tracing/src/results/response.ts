import { types } from 'node:util';
import { isObject, methodOf, read } from '../guards/untrusted-values.ts';
import type { Method } from '../guards/untrusted-values.ts';
import { followNodeStream, isNodeStream } from './node-stream.ts';
import { cannotFollow, replaceMember } from './replace-members.ts';
import type { Following, StreamedOutput } from './result-observer.ts';
import { followWebStream, isWebStream } from './web-stream.ts';

/** A WHATWG `Response`: of Node's `fetch`, of the undici package, or of another library. */
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
 * Follows a Response: the step lasts until the body has been read, with a method such as `json()`, as a stream, or
 * through a clone. If the body is never read, the step ends when the response headers arrived.
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
    if (original !== undefined) replaceMember(response, key, interceptBodyReader(response, original, following));
  }
  const clone = methodOf(response, 'clone') as unknown as () => object;
  replaceMember(response, 'clone', () => followResponse(clone.call(response), newOutput, following));
  observer.awaitsConsumer(headMs);
  return response;
}

/** The text, or the object in the JSON, of a body that is read as a whole is followed as the result. */
function interceptBodyReader(response: object, original: Method, { observer, follow }: Following): Method {
  const readBody = original as unknown as (this: object) => unknown;
  return function (): unknown {
    observer.consumptionStarted();
    const whole = observer.runProducer(() => readBody.call(response), undefined);
    if (!types.isPromise(whole)) return whole;
    return whole.then(follow, (error: unknown) => {
      observer.threw(error);
      throw error;
    });
  } as Method;
}

/** `response.body` returns the same stream until `clone()` replaces it. It is followed when it is first read. */
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
      if (observer.isOver) observer.consumptionStarted();
      followed = isObject(current) ? followBody(current, newOutput(), observer, headMs) : current;
    }
    return followed;
  };
  try {
    return Reflect.defineProperty(response, 'body', { configurable: true, enumerable: false, get });
  } catch {
    // A Proxy whose trap throws instead of returning false.
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
 * The body stream in responses of HTTP clients without `Response`: `body` of undici's `request`, `data` of axios with
 * `responseType: 'stream'`, or Node's `IncomingMessage` itself.
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
