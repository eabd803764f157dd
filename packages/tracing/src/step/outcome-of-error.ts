import { isOutcome, processSettings, UNKNOWN_ERROR_TYPE } from '@convotel/conventions';
import type { ClassifiedStep, ClassifyError, Outcome } from '@convotel/conventions';
import type { SpanEnding } from '../guards/spans.ts';
import { reportTrouble } from '../guards/warnings.ts';

/** Errors along `cause` that are read; a cycle ends the chain earlier. */
const MAX_CAUSES = 8;
/** Errors of one `AggregateError` that are looked at. */
const MAX_ERRORS = 64;

/** What can be an error's type: few distinct values, so no sentence and no address. */
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
  /** The program's, the innermost first; the process's comes last and is asked without being named here. */
  classifiers: readonly (ClassifyError | undefined)[];
  /** Whether the program said that it was interrupted. */
  isInterrupted: boolean;
  /** Signals whose abortion stops the work. */
  signals: readonly (AbortSignal | undefined)[];
  /** How the same error ended a step inside. */
  judgedInside?: SpanEnding | undefined;
}

/**
 * How an error ends a step or conversation; reads whatever was thrown: an error, a string, null, or an object that
 * throws when it is looked at. The rules are those of docs/conventions.md, "Outcome of an error".
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
  { step, classifiers, isInterrupted, signals, judgedInside }: ErrorCircumstances,
): Outcome {
  for (const classify of [...classifiers, processSettings().classifyError]) {
    const classified = classify === undefined ? undefined : classifiedBy(classify, error, step);
    if (classified !== undefined) return classified;
  }
  if (isInterrupted) return 'interrupted';
  if (judgedInside !== undefined) return judgedInside.outcome;
  const said = outcomeAlongCauses(error, MAX_CAUSES);
  if (said === 'timed_out') return said;
  const aborted = signals.filter((signal) => signal?.aborted === true);
  if (aborted.some((signal) => outcomeAlongCauses(signal!.reason, MAX_CAUSES) === 'timed_out')) return 'timed_out';
  return aborted.length > 0 ? 'interrupted' : said;
}

function classifiedBy(classify: ClassifyError, error: unknown, step: ClassifiedStep | undefined): Outcome | undefined {
  try {
    const outcome = classify(error, step === undefined ? undefined : { name: step.name, attempt: step.attempt });
    return isOutcome(outcome) ? outcome : undefined;
  } catch (thrown) {
    reportTrouble('classifyError', thrown);
    return undefined;
  }
}

/** A time-out anywhere along the causes, else what the outermost that says something says, else `failed`. */
function outcomeAlongCauses(error: unknown, maxCauses: number): Outcome {
  let first: Outcome | undefined;
  for (const cause of causesOf(error, maxCauses)) {
    const outcome = outcomeOfOne(cause, maxCauses - 1);
    if (outcome === 'timed_out') return outcome;
    first ??= outcome;
  }
  return first ?? 'failed';
}

/** The error and its causes, the outermost first. */
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
    // A wrapper such as p-retry's `AbortError` ends the retries of a failure; nobody interrupted anything.
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

/** An error's `name` and the names of its class and of the classes that this one extends. */
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
    // A Proxy whose prototype cannot be asked for: its class is unknown, which is the answer.
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

/** The code, type, HTTP status or class that says most about what went wrong, of the error or its causes. */
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

/** Only of errors: the class of another thrown object (`Object`, `Array`) says nothing about what went wrong. */
function classNameOf(error: unknown): string | undefined {
  const name = propertyOf(error, 'name');
  const candidates = typeof name === 'string' && name !== 'Error' ? [name] : [];
  try {
    if (isError(error)) candidates.push(...namesOf(error).slice(typeof name === 'string' ? 1 : 0), 'Error');
  } catch {
    // A Proxy that throws: an error of unknown type, which is the answer.
  }
  return candidates.find((candidate) => TYPE_PATTERN.test(candidate));
}

/** Errors of Node's own modules are no `instanceof Error` of a test's realm. */
function isError(error: unknown): boolean {
  return error instanceof Error || Object.prototype.toString.call(error) === '[object Error]';
}

/** The first message along the causes that says something: Node's `AggregateError` of a refused connection has none. */
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
    // A getter or Proxy that throws: the property is unknown, and the thrown object goes on untouched.
    return undefined;
  }
}
