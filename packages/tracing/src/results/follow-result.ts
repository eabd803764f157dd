import { isObject } from '../guards/untrusted-values.ts';
import { isStackOverflow } from '../guards/spans.ts';
import { reportInternalError } from '../guards/warnings.ts';
import { followAsyncIterable, followIterator, isAsyncIterable, isSyncIterator } from './iterables.ts';
import { followNodeStream, isNodeStream } from './node-stream.ts';
import {
  findDataBesideResponse,
  followEventStream,
  followStreamText,
  followUntil,
  isEventStream,
  isPage,
  isStreamText,
} from './objects-with-streams.ts';
import { followPromise, followThenable, isNativePromise, isThenable } from './promises.ts';
import type { ResultDetails } from './recognized/client.ts';
import { ChunkReader, readWhole, recognizes } from './recognized/recognize.ts';
import { findBodyStream, followResponse, isResponse } from './response.ts';
import { StreamedOutput } from './result-observer.ts';
import type { Following, ResultObserver, ResultOptions } from './result-observer.ts';
import { followWebStream, isWebStream } from './web-stream.ts';

const NO_OPTIONS: ResultOptions = {};

/**
 * Returns `result` and notifies `observer` when it is complete. This is the one place that knows all kinds of results;
 * each kind has a file in this folder, which intercepts the methods by which such a result can complete.
 * A native promise and a plain web stream are replaced by an equivalent object; everything else is returned itself.
 */
export function followResult<Result>(
  result: Result,
  observer: ResultObserver,
  options: ResultOptions = NO_OPTIONS,
): Result {
  if (!isObject(result)) {
    observer.returned(result);
    return result;
  }
  return new FollowedResult(observer, options).follow(result);
}

class FollowedResult implements Following {
  readonly observer: ResultObserver;
  readonly options: ResultOptions;

  constructor(observer: ResultObserver, options: ResultOptions) {
    this.observer = observer;
    this.options = options;
  }

  readonly follow = <Value>(value: Value): Value => {
    if (!isObject(value)) {
      this.observer.returned(value);
      return value;
    }
    if (this.observer.isOver) return value;
    try {
      return this.#followObject(value) as Value;
    } catch (error) {
      // traceStep delivers the result again once there is stack left.
      if (isStackOverflow(error)) throw error;
      reportInternalError(`following the result of ${this.observer.label}`, error);
      this.observer.returned(undefined);
      return value;
    }
  };

  #followObject(value: object): unknown {
    if (isNativePromise(value)) return followPromise(value, this);
    if (isThenable(value)) return followThenable(value, this);
    const { until, stream } = this.options;
    if (typeof until === 'function')
      return followUntil(value, until, new FollowedResult(this.observer, this.#withoutUntil()));
    return (stream === false ? undefined : this.#followStream(value)) ?? this.#readWhole(value);
  }

  /** Undefined if `value` is not a stream and contains no known one. */
  #followStream(value: object): unknown {
    const { observer } = this;
    if (isWebStream(value)) return followWebStream(value, this.#newOutput(), observer);
    if (isResponse(value)) return followResponse(value, this.#newOutput, this);
    const body = findBodyStream(value);
    if (body !== undefined) {
      followNodeStream(body, this.#newOutput(), observer, performance.now());
      return value;
    }
    if (isNodeStream(value)) return followNodeStream(value, this.#newOutput(), observer);
    if (this.#recognizesObject(value)) return value;
    if (isPage(value)) return undefined;
    if (isAsyncIterable(value)) return followAsyncIterable(value, this.#newOutput, observer);
    if (!isSyncIterator(value)) return undefined;
    observer.awaitsConsumer();
    return followIterator(value, false, this.#newOutput(), observer);
  }

  /** Follows objects of known clients that contain a stream. */
  #recognizesObject(value: object): boolean {
    const { observer } = this;
    const { recognize } = this.options;
    if ((recognizes(recognize, 'openai') || recognizes(recognize, 'anthropic')) && isEventStream(value)) {
      followEventStream(value, this.#newOutput(), observer);
      return true;
    }
    if (recognizes(recognize, 'ai') && isStreamText(value)) {
      followStreamText(value, this.#newOutput, observer);
      return true;
    }
    const data = findDataBesideResponse(value);
    if (data === undefined) return false;
    this.follow(data);
    return true;
  }

  #readWhole(value: object): object {
    const { observer } = this;
    if (!observer.recordsDetails) {
      observer.returned(value);
      return value;
    }
    const details: ResultDetails = {};
    const meaning = readWhole(value, this.options.recognize, details);
    if (meaning === undefined) {
      observer.returned(value);
      return value;
    }
    if (meaning.kind === 'text' && meaning.text !== '') {
      details.outputChars = meaning.text.length;
      if (observer.keepsText) details.outputText = meaning.text;
    }
    observer.describe(details);
    if (meaning.kind === 'failed') observer.threw(meaning.error);
    else observer.returned(value);
    return value;
  }

  readonly #newOutput = (details?: ResultDetails): StreamedOutput =>
    new StreamedOutput(this.observer, new ChunkReader(this.observer.recordsDetails && this.options.recognize), details);

  #withoutUntil(): ResultOptions {
    const { stream, recognize } = this.options;
    return { stream, recognize };
  }
}
