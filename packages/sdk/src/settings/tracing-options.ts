import { randomBytes } from 'node:crypto';
import { codedError } from '@convotel/conventions';
import type { ClassifyError, ErrorCodeOf } from '@convotel/conventions';
import type { Agent as HttpAgent } from 'node:http';
import type { Agent as HttpsAgent } from 'node:https';
import type { Attributes } from '@opentelemetry/api';
import type { TextPlace } from '../encoding/sendable.ts';

/** How much of input and output texts may be exported. */
export type CaptureContent = 'none' | 'truncated' | 'full';

/** When written spans are also flushed to the disk, so that they survive a power loss. */
export type SyncPolicy = 'never' | 'interval' | 'conversation' | 'step';

/** How finished spans are stored on disk until a back end has accepted them. */
export interface JournalSettings {
  /** Folder for all services of this user. @defaultValue `$XDG_STATE_HOME/convotel/journal`, else below `~/.local/state` */
  folder?: string | undefined;
  /** Maximum disk usage of one service, all its processes together, in bytes; at least 1 MiB. @defaultValue `536_870_912` */
  maxBytes?: number | undefined;
  /**
   * When spans are also flushed to the disk, so that they survive a power loss. `never`: when the operating system
   * does. `interval`: every 500 ms. `conversation`: before the end of a conversation returns. `step`: before the end of
   * each step returns. A crash of the program loses nothing under any of them.
   * @defaultValue `'interval'`
   */
  sync?: SyncPolicy | undefined;
}

/** Options of `startTracing`. Each takes precedence over the corresponding `OTEL_*` variable. */
export interface TracingOptions {
  /** Name of the program. @defaultValue `OTEL_SERVICE_NAME`, else `unknown_service:node` */
  serviceName?: string | undefined;
  /** Additional resource attributes, such as `service.version`; `OTEL_RESOURCE_ATTRIBUTES` adds to them. */
  resourceAttributes?: Attributes | undefined;
  /**
   * Base address of an OTLP/HTTP receiver; `/v1/traces` and `/v1/metrics` are appended. @defaultValue
   * `OTEL_EXPORTER_OTLP_*`, else `http://localhost:4318`
   */
  endpoint?: string | undefined;
  /** Headers of every request. @defaultValue `OTEL_EXPORTER_OTLP_*HEADERS` */
  headers?: Readonly<Record<string, string>> | undefined;
  /** HTTP agent for all connections. @defaultValue one that uses the certificates and proxies set in the environment */
  agent?: HttpAgent | HttpsAgent | undefined;
  /**
   * Whether input and output texts may be exported. `truncated` exports the first 1,000 characters of the redacted text,
   * followed by `…` if there were more. `true` means `full`, `false` means `none`. Text lengths are always exported.
   * @defaultValue `OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT`, else `'none'`
   */
  captureContent?: CaptureContent | boolean | undefined;
  /** `keep` exports prompts and answers in the spans of other libraries even if `captureContent` is `none`. @defaultValue `'drop'` */
  otherContent?: 'drop' | 'keep' | undefined;
  /**
   * Called for every text that is exported, after the built-in redaction; returns the text to send. If it throws, the
   * text is replaced by `[redacted]`.
   */
  redact?: ((text: string, where: TextPlace) => string) | undefined;
  /** `none` never exports the messages and stack traces of errors. @defaultValue `'redacted'` */
  errorMessages?: 'redacted' | 'none' | undefined;
  /**
   * Replaces conversation ids and session ids before they are hashed, written or passed to another process, for
   * programs whose ids are personal data, such as phone numbers or names. `{ key }` replaces them by their
   * {@link keyedId}. A function must return 1 to 128 characters, be deterministic across processes, and return its own
   * results unchanged. All processes of a conversation must use the same replacement, or joining by id does not work.
   * @defaultValue ids are not replaced
   */
  replaceIds?: { key: string } | ((id: string) => string) | undefined;
  /** Fraction of conversations that are sampled, 0 to 1; a conversation is sampled as a whole. @defaultValue `OTEL_TRACES_SAMPLER`, else all */
  samplingRatio?: number | undefined;
  /** `false` keeps finished spans only in memory, so a crash loses them. @defaultValue `CONVOTEL_JOURNAL`, else `true` */
  journal?: boolean | JournalSettings | undefined;
  /**
   * Whether waiting spans are sent on SIGINT and SIGTERM before the process ends, unless the program handles the signal.
   * @defaultValue `true`
   */
  shutdownOnSignals?: boolean | undefined;
  /** Whether metrics are sent. @defaultValue `true`, unless `OTEL_METRICS_EXPORTER` is `none` */
  metrics?: boolean | undefined;
  /** Whether durations are sent as histograms too, for back ends without a span-metrics connector. @defaultValue `false` */
  durationMetrics?: boolean | undefined;
  /**
   * Decides the outcome of an error if the classifiers of the step and the conversation do not; if it returns undefined,
   * the default rules of the conventions apply.
   */
  classifyError?: ClassifyError | undefined;
  /** Steps and conversations that are open for longer end as `abandoned`, in milliseconds. @defaultValue `600_000` */
  maxOpenMs?: number | undefined;
  /**
   * `own`: creates and registers a tracer provider. `join`: uses the one that the program has registered. `private`:
   * creates one that is not registered and is used only for the spans of conversations; other tools never see these as
   * the active span, and OpenTelemetry's global state is unchanged. An option that cannot be applied causes a warning.
   * @defaultValue joins a registered provider, else creates and registers one
   */
  provider?: 'own' | 'join' | 'private' | undefined;
  /** Receives warnings. @defaultValue `console.warn`, which is standard error */
  warn?: ((message: string) => void) | undefined;
}

/** Codes of {@link TracingOptionsError}. */
export type TracingOptionsErrorCode = ErrorCodeOf<'TracingOptionsError'>;

/** An option of `startTracing` is invalid. An invalid environment variable only causes a warning. */
export class TracingOptionsError extends codedError('TracingOptionsError') {}

export const DEFAULT_JOURNAL_BYTES = 512 * 1024 * 1024;
const MIN_JOURNAL_BYTES = 1024 * 1024;
/** A shorter key could be found by brute force. */
const MIN_KEY_LENGTH = 16;

/** @throws {@link TracingOptionsError} if the endpoint is not an http(s) address or the ratio is not from 0 to 1. */
export function checkTracingOptions({ endpoint, samplingRatio }: TracingOptions): void {
  if (endpoint !== undefined && !isHttpAddress(endpoint)) {
    throw new TracingOptionsError(
      'INVALID_ENDPOINT',
      `The option endpoint is ${JSON.stringify(endpoint)}, which is not an http:// or https:// address. ` +
        'Write it with its scheme, for example http://localhost:4318.',
    );
  }
  if (samplingRatio !== undefined && !(samplingRatio >= 0 && samplingRatio <= 1)) {
    throw new TracingOptionsError(
      'OPTION_OUT_OF_RANGE',
      `The option samplingRatio is ${String(samplingRatio)}; write a number from 0 to 1, for example 0.5 for half of the conversations.`,
    );
  }
}

function isHttpAddress(text: unknown): boolean {
  return typeof text === 'string' && URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}

const OPTION_NAMES: { readonly [Name in keyof Required<TracingOptions>]: true } = {
  serviceName: true,
  resourceAttributes: true,
  endpoint: true,
  headers: true,
  agent: true,
  captureContent: true,
  otherContent: true,
  redact: true,
  errorMessages: true,
  replaceIds: true,
  samplingRatio: true,
  journal: true,
  shutdownOnSignals: true,
  metrics: true,
  durationMetrics: true,
  classifyError: true,
  maxOpenMs: true,
  provider: true,
  warn: true,
};

/** Replaces values of the wrong type, as plain JavaScript allows, by the default, with a warning. */
export function usableOptions(options: TracingOptions, warn: (message: string) => void): TracingOptions {
  const usable = { ...options };
  for (const name of Object.keys(options)) {
    if (!Object.hasOwn(OPTION_NAMES, name)) {
      warn(`convotel: there is no option ${JSON.stringify(name)}; it is ignored. Compare the names in the README.`);
    }
  }
  const warnInvalid = (name: string, value: unknown, instead: string, advice: string): void =>
    warn(`convotel: the option ${name} is ${shown(value)}, which cannot be used; ${instead}. ${advice}`);
  const check = (
    name: keyof TracingOptions,
    isRight: (value: unknown) => boolean,
    instead: string,
    advice: string,
  ): void => {
    const value: unknown = usable[name];
    if (value === undefined || isRight(value)) return;
    warnInvalid(name, value, instead, advice);
    delete usable[name];
  };
  const oneOf =
    (...choices: unknown[]) =>
    (value: unknown): boolean =>
      choices.includes(value);
  const isFunction = (value: unknown): boolean => typeof value === 'function';
  const isText = (value: unknown): boolean => typeof value === 'string' && value !== '';
  const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value);
  check('serviceName', isText, 'OTEL_SERVICE_NAME or the default is used', 'Write a name that is not empty.');
  check('resourceAttributes', isObject, 'none are added', 'Write an object of attributes.');
  check('headers', isObject, 'none are added', 'Write an object of names and values.');
  check(
    'agent',
    (value) => isObject(value) && isFunction((value as { addRequest?: unknown }).addRequest),
    'the certificates and proxies set in the environment are used',
    'Write an Agent of node:http or node:https, or a compatible one.',
  );
  check(
    'captureContent',
    oneOf('none', 'truncated', 'full', true, false),
    'none is used',
    "Write 'none', 'truncated' or 'full'.",
  );
  check('otherContent', oneOf('drop', 'keep'), 'drop is used', "Write 'drop' or 'keep'.");
  check('errorMessages', oneOf('redacted', 'none'), 'redacted is used', "Write 'redacted' or 'none'.");
  check('provider', oneOf('own', 'join', 'private'), 'the default is used', "Write 'own', 'join' or 'private'.");
  check('redact', isFunction, 'only the built-in patterns are used', 'Write a function that returns the text to send.');
  check(
    'classifyError',
    isFunction,
    'errors are classified by the rules of the conventions',
    'Write a function that returns an outcome or undefined.',
  );
  check(
    'maxOpenMs',
    (value) => typeof value === 'number' && value > 0,
    '600000 is used',
    'Write a number of milliseconds above 0, or Infinity.',
  );
  check('warn', isFunction, 'console.warn is used', 'Write a function that takes a text.');
  check(
    'journal',
    (value) => typeof value === 'boolean' || isObject(value),
    'true is used',
    'Write true, false or an object.',
  );
  for (const name of ['shutdownOnSignals', 'metrics', 'durationMetrics'] as const) {
    check(name, oneOf(true, false), 'the default is used', 'Write true or false.');
  }
  if (usable.replaceIds !== undefined && !isReplacement(usable.replaceIds)) {
    const advice = `Write { key } with a secret of at least ${MIN_KEY_LENGTH} characters that all processes share, or a function.`;
    // Does not show the value: it may be a key that is too short.
    warn(
      'convotel: the option replaceIds cannot be used; ids are replaced by means of a random key, which no other process ' +
        `knows, so that conversations cannot be joined by their ids. ${advice}`,
    );
    usable.replaceIds = { key: randomBytes(32).toString('hex') };
  }
  if (typeof usable.journal === 'object') usable.journal = usableJournal(usable.journal, warnInvalid);
  return usable;
}

function isReplacement(value: unknown): boolean {
  if (typeof value === 'function') return true;
  const { key } = (typeof value === 'object' && value !== null ? value : {}) as { key?: unknown };
  return typeof key === 'string' && key.length >= MIN_KEY_LENGTH;
}

function usableJournal(
  journal: JournalSettings,
  warnInvalid: (name: string, value: unknown, instead: string, advice: string) => void,
): JournalSettings {
  const { folder, maxBytes, sync } = journal;
  const usable: JournalSettings = {};
  if (folder === undefined || (typeof folder === 'string' && folder !== '')) usable.folder = folder;
  else warnInvalid('journal.folder', folder, 'the default folder is used', 'Write a path.');
  if (maxBytes === undefined || (Number.isFinite(maxBytes) && maxBytes >= MIN_JOURNAL_BYTES))
    usable.maxBytes = maxBytes;
  else
    warnInvalid(
      'journal.maxBytes',
      maxBytes,
      `${DEFAULT_JOURNAL_BYTES} is used`,
      `Write a number of at least ${MIN_JOURNAL_BYTES}.`,
    );
  if (sync === undefined || ['never', 'interval', 'conversation', 'step'].includes(sync)) usable.sync = sync;
  else warnInvalid('journal.sync', sync, 'interval is used', "Write 'never', 'interval', 'conversation' or 'step'.");
  return usable;
}

function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : `of type ${typeof value}`;
}
