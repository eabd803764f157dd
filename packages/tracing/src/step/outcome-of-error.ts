import { isOutcome, processSettings, UNKNOWN_ERROR_TYPE } from '@convotel/conventions';
import type { ClassifiedStep, ClassifyError, Outcome } from '@convotel/conventions';
import type { SpanEnding } from '../guards/spans.ts';
import { reportInternalError } from '../guards/warnings.ts';

/** Maximum length of a chain of `cause`s that is read; a cycle ends it earlier. */
const MAX_CAUSES = 8;
/** Maximum number of errors of one `AggregateError` that are read. */
const MAX_ERRORS = 64;

/** Values of `error.type` must have low cardinality, so messages and addresses do not qualify. */
const TYPE_PATTERN = /^[A-Za-z_$][\w$.-]{0,63}$/;

const INTERRUPTION_NAMES = new Set([
  'AbortError',
  'APIUserAbortError',
  'CanceledError',
  'CancelledError',
  'CancelError',
]);
const INTERRUPTION_CODES = new Set(['ABORT_ERR', 'ERR_CANCELED']);
const TIMEOUT_NAMES = new Set([
  'TimeoutError',
  'APIConnectionTimeoutError',
  'ConnectTimeoutError',
  'HeadersTimeoutError',
  'BodyTimeoutError',
]);
const TIMEOUT_CODE_PATTERN = /^(ETIMEDOUT|ESOCKETTIMEDOUT|ECONNABORTED|UND_ERR_\w+_TIMEOUT)$/;
const TIMEOUT_STATUSES: readonly unknown[] = [408, 504];
const GRPC_CANCELLED = 1;
const GRPC_DEADLINE_EXCEEDED = 4;

/** What is known about the step or conversation that an error ended. */
export interface ErrorCircumstances {
  /** Absent for the conversation itself. */
  step?: ClassifiedStep | undefined;
  /** The classifiers of the step and conversation, innermost first. The one of the process is always tried last. */
  classifiers: readonly (ClassifyError | undefined)[];
  /** Whether the program called `interrupted()`. */
  isInterrupted: boolean;
  /** Signals that abort the work. */
  signals: readonly (AbortSignal | undefined)[];
  /** How the same error ended a step inside. */
  innerEnding?: SpanEnding | undefined;
}

/**
 * How an error ends a step or conversation. Accepts whatever was thrown: an error, a string, null, or an object whose
 * getters throw. The rules are those of docs/conventions.md, "Outcome of an error".
 */
export function endingOfError(error: unknown, circumstances: ErrorCircumstances): SpanEnding {
  return {
    outcome: outcomeOf(error, circumstances),
    errorType: errorTypeOf(error, MAX_CAUSES) ?? UNKNOWN_ERROR_TYPE,
    message: messageOf(error),
  };
}

function outcomeOf(
  error: unknown,
  { step, classifiers, isInterrupted, signals, innerEnding }: ErrorCircumstances,
): Outcome {
  for (const classify of [...classifiers, processSettings().classifyError]) {
    const classified = classify === undefined ? undefined : classifiedBy(classify, error, step);
    if (classified !== undefined) return classified;
  }
  if (isInterrupted) return 'interrupted';
  if (innerEnding !== undefined) return innerEnding.outcome;
  const ownOutcome = outcomeAlongCauses(error, MAX_CAUSES);
  if (ownOutcome === 'timed_out') return ownOutcome;
  const aborted = signals.filter((signal) => signal?.aborted === true);
  if (aborted.some((signal) => outcomeAlongCauses(signal!.reason, MAX_CAUSES) === 'timed_out')) return 'timed_out';
  return aborted.length > 0 ? 'interrupted' : ownOutcome;
}

function classifiedBy(classify: ClassifyError, error: unknown, step: ClassifiedStep | undefined): Outcome | undefined {
  try {
    const outcome = classify(error, step === undefined ? undefined : { name: step.name, attempt: step.attempt });
    return isOutcome(outcome) ? outcome : undefined;
  } catch (thrown) {
    reportInternalError('classifyError', thrown);
    return undefined;
  }
}

/** `timed_out` if any cause is a timeout, else the outcome of the outermost cause that has one, else `failed`. */
function outcomeAlongCauses(error: unknown, maxCauses: number): Outcome {
  let first: Outcome | undefined;
  for (const cause of causesOf(error, maxCauses)) {
    const outcome = outcomeOfOne(cause, maxCauses - 1);
    if (outcome === 'timed_out') return outcome;
    first ??= outcome;
  }
  return first ?? 'failed';
}

/** The error and its causes, outermost first. */
function causesOf(error: unknown, maxCauses: number): unknown[] {
  const causes: unknown[] = [];
  for (let cause = error; causes.length < maxCauses && !causes.includes(cause); cause = propertyOf(cause, 'cause')) {
    if (cause === undefined && causes.length > 0) break;
    causes.push(cause);
  }
  return causes;
}

function outcomeOfOne(error: unknown, maxCauses: number): Outcome | undefined {
  const original = originalOf(error);
  if (original !== undefined) {
    // A wrapper such as p-retry's `AbortError` stops the retries of a failure; it is not an interruption.
    const outcome = outcomeAlongCauses(original, maxCauses);
    return outcome === 'interrupted' ? 'failed' : outcome;
  }
  const names = namesOf(error);
  const errors = names.includes('AggregateError') ? propertyOf(error, 'errors') : undefined;
  if (Array.isArray(errors)) return sharedOutcome(errors, maxCauses);
  const code = propertyOf(error, 'code');
  const grpcCode = typeof code === 'number' && typeof propertyOf(error, 'details') === 'string' ? code : undefined;
  if (
    names.some((name) => TIMEOUT_NAMES.has(name)) ||
    (typeof code === 'string' && TIMEOUT_CODE_PATTERN.test(code)) ||
    grpcCode === GRPC_DEADLINE_EXCEEDED ||
    TIMEOUT_STATUSES.includes(statusOf(error))
  ) {
    return 'timed_out';
  }
  const isInterruption =
    names.some((name) => INTERRUPTION_NAMES.has(name)) ||
    (typeof code === 'string' && INTERRUPTION_CODES.has(code)) ||
    grpcCode === GRPC_CANCELLED;
  return isInterruption ? 'interrupted' : undefined;
}

function sharedOutcome(errors: readonly unknown[], maxCauses: number): Outcome {
  if (maxCauses <= 0) return 'failed';
  const outcomes = new Set(errors.slice(0, MAX_ERRORS).map((each) => outcomeAlongCauses(each, maxCauses)));
  const [outcome] = outcomes;
  return outcomes.size === 1 && outcome !== undefined ? outcome : 'failed';
}

function originalOf(error: unknown): unknown {
  return propertyOf(error, 'originalError') ?? undefined;
}

/** An error's `name`, and the names of its class and superclasses. */
function namesOf(error: unknown): string[] {
  if (typeof error !== 'object' || error === null) return [];
  const names: string[] = [];
  const name = propertyOf(error, 'name');
  if (typeof name === 'string') names.push(name);
  try {
    let prototype: unknown = Object.getPrototypeOf(error);
    while (typeof prototype === 'object' && prototype !== null && names.length < MAX_CAUSES) {
      const className = propertyOf(propertyOf(prototype, 'constructor'), 'name');
      if (typeof className === 'string') names.push(className);
      prototype = Object.getPrototypeOf(prototype);
    }
  } catch {
    // A Proxy that does not reveal its prototype: its class stays unknown.
  }
  return names;
}

function statusOf(error: unknown): unknown {
  return (
    propertyOf(error, 'status') ??
    propertyOf(error, 'statusCode') ??
    propertyOf(propertyOf(error, 'response'), 'status')
  );
}

/** The most specific of code, type, HTTP status and class of the error or its causes. */
function errorTypeOf(error: unknown, maxCauses: number): string | undefined {
  if (maxCauses <= 0) return undefined;
  const original = originalOf(error);
  if (original !== undefined) return errorTypeOf(original, maxCauses - 1);
  for (const property of ['code', 'type'] as const) {
    const value = propertyOf(error, property);
    if (typeof value === 'string' && TYPE_PATTERN.test(value)) return value;
  }
  const status = statusOf(error);
  if (typeof status === 'number' && Number.isInteger(status) && status >= 100 && status <= 599) return `http_${status}`;
  const className = classNameOf(error);
  const cause = propertyOf(error, 'cause') ?? undefined;
  const isWrapper =
    cause !== undefined && (className === undefined || className === 'Error' || className === 'TypeError');
  return (isWrapper ? errorTypeOf(cause, maxCauses - 1) : undefined) ?? className;
}

/**
 * Class names count for errors only: that of another thrown object (`Object`, `Array`) says nothing about the failure.
 */
function classNameOf(error: unknown): string | undefined {
  const name = propertyOf(error, 'name');
  const candidates = typeof name === 'string' && name !== 'Error' ? [name] : [];
  if (isError(error)) candidates.push(...namesOf(error).slice(typeof name === 'string' ? 1 : 0), 'Error');
  return candidates.find((candidate) => TYPE_PATTERN.test(candidate));
}

const ERROR_TAGS = new Set(['[object Error]', '[object DOMException]']);

/** Whether `error` is an error of any realm: under Jest, those of Node's own modules are not `instanceof Error`. */
export function isError(error: unknown): boolean {
  try {
    return error instanceof Error || ERROR_TAGS.has(Object.prototype.toString.call(error));
  } catch {
    // A Proxy that throws: nothing is known about it.
    return false;
  }
}

/** The first non-empty message along the causes: Node's `AggregateError` for a refused connection has an empty one. */
function messageOf(error: unknown): string | undefined {
  if (typeof error === 'string') return error === '' ? undefined : error;
  for (const cause of causesOf(error, MAX_CAUSES)) {
    const message = propertyOf(cause, 'message');
    if (typeof message === 'string' && message !== '') return message;
  }
  return undefined;
}

function propertyOf(source: unknown, key: string): unknown {
  if (source === null || (typeof source !== 'object' && typeof source !== 'function')) return undefined;
  try {
    return (source as Record<string, unknown>)[key];
  } catch {
    // A getter or Proxy that throws: the property stays unknown.
    return undefined;
  }
}
