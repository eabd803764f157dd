import { randomBytes } from 'node:crypto';
import { codedError } from '@convotel/conventions';
import type { ClassifyError, ErrorCodeOf } from '@convotel/conventions';
import type { Agent as HttpAgent } from 'node:http';
import type { Agent as HttpsAgent } from 'node:https';
import type { Attributes } from '@opentelemetry/api';
import type { TextPlace } from '../encoding/sendable.ts';

/** How much of input and output texts may leave the process. */
export type CaptureContent = 'none' | 'truncated' | 'full';

/** When written spans are also flushed to the disk, so that they survive a power loss. */
export type SyncPolicy = 'never' | 'interval' | 'conversation' | 'step';

/** Where and how finished spans are kept until a back end has accepted them. */
export interface JournalSettings {
  /** Folder for all services of this user. @defaultValue `$XDG_STATE_HOME/convotel/journal`, else below `~/.local/state` */
  folder?: string | undefined;
  /** Limit on disk of one service, all its processes together, in bytes; at least 1 MiB. @defaultValue `536_870_912` */
  maxBytes?: number | undefined;
  /**
   * When spans are also flushed to the disk, so that they survive a power loss. `never`: when the operating system
   * does. `interval`: every 500 ms. `conversation`: before the end of a conversation returns. `step`: before the end of
   * each step returns. A crash of the program loses nothing under any of them.
   * @defaultValue `'interval'`
   */
  sync?: SyncPolicy | undefined;
}

/** Settings of `startTracing`. Each takes precedence over the corresponding `OTEL_*` variable. */
export interface TracingOptions {
  /** Name of the program. @defaultValue `OTEL_SERVICE_NAME`, else `unknown_service:node` */
  serviceName?: string | undefined;
  /** Further attributes of the resource, such as `service.version`; `OTEL_RESOURCE_ATTRIBUTES` adds to them. */
  resourceAttributes?: Attributes | undefined;
  /**
   * Base address of an OTLP/HTTP receiver; `/v1/traces` and `/v1/metrics` are appended. @defaultValue
   * `OTEL_EXPORTER_OTLP_*`, else `http://localhost:4318`
   */
  endpoint?: string | undefined;
  /** Headers of every request. @defaultValue `OTEL_EXPORTER_OTLP_*HEADERS` */
  headers?: Readonly<Record<string, string>> | undefined;
  /** Agent that makes the connections, instead of one that uses the certificates and proxies of the environment. */
  agent?: HttpAgent | HttpsAgent | undefined;
  /**
   * Whether input and output texts may leave the process; `truncated` keeps the first 1,000 characters of the redacted
   * text, with `…` where it was cut. `true` is `full`,
   * `false` is `none`. Their lengths are always kept.
   * @defaultValue `OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT`, else `'none'`
   */
  captureContent?: CaptureContent | boolean | undefined;
  /** `keep`: prompts and answers that other libraries write on their spans leave even where `captureContent` is `none`. @defaultValue `'drop'` */
  otherContent?: 'drop' | 'keep' | undefined;
  /**
   * Called for every text that leaves, after the built-in patterns have masked it; returns the text to send. If it
   * throws, the text is lost, not the span.
   */
  redact?: ((text: string, where: TextPlace) => string) | undefined;
  /** `none` keeps the messages and stacks of errors in the process. @defaultValue `'redacted'` */
  errorMessages?: 'redacted' | 'none' | undefined;
  /**
   * Replaces conversation ids and session ids before they are hashed, written or handed to another process, for
   * programs whose ids are telephone numbers or names. `{ key }` replaces them by their {@link keyedId}. A function
   * returns the replacement, 1 to 128 characters, the same in every process, and returns its own results unchanged.
   * Every process of a conversation needs the same replacement, otherwise joining by id does not work.
   * @defaultValue ids are written as they are
   */
  replaceIds?: { key: string } | ((id: string) => string) | undefined;
  /** Share of conversations that are kept, 0 to 1; a conversation is kept whole or not at all. @defaultValue `OTEL_TRACES_SAMPLER`, else all */
  samplingRatio?: number | undefined;
  /** `false` keeps finished spans in memory only, where a crash loses them. @defaultValue `CONVOTEL_JOURNAL`, else `true` */
  journal?: boolean | JournalSettings | undefined;
  /**
   * Whether SIGINT and SIGTERM send waiting spans before they end the process, if nothing else handles them.
   * @defaultValue `true`
   */
  shutdownOnSignals?: boolean | undefined;
  /** Whether metrics are sent. @defaultValue `true`, unless `OTEL_METRICS_EXPORTER` is `none` */
  metrics?: boolean | undefined;
  /** Whether durations are sent as histograms too, for back ends without a span-metrics connector. @defaultValue `false` */
  durationMetrics?: boolean | undefined;
  /**
   * Decides the outcome of errors that neither the step nor the conversation decides, before the rules of the
   * conventions.
   */
  classifyError?: ClassifyError | undefined;
  /** Steps and conversations that are open for longer end as `abandoned`, in milliseconds. @defaultValue `600_000` */
  maxOpenMs?: number | undefined;
  /**
   * `own`: registers a tracer provider. `join`: uses the one that the program has registered. `private`: makes one
   * beside whatever is registered, before or after; it makes only the spans of conversations, other tools never see
   * them as the active span, and OpenTelemetry's global state is not touched. By default a registered provider is
   * joined, else one is made and registered. A choice that cannot be followed causes a warning.
   */
  provider?: 'own' | 'join' | 'private' | undefined;
  /** Called with warnings for people. @defaultValue `console.warn`, which is standard error */
  warn?: ((message: string) => void) | undefined;
}

/** Codes of {@link TracingOptionsError}. */
export type TracingOptionsErrorCode = ErrorCodeOf<'TracingOptionsError'>;

/** An option of `startTracing` is invalid. An invalid environment variable only causes a warning. */
export class TracingOptionsError extends codedError('TracingOptionsError') {}

export const DEFAULT_JOURNAL_BYTES = 512 * 1024 * 1024;
const MIN_JOURNAL_BYTES = 1024 * 1024;
/** A shorter key can be guessed, and with it the ids that it hides. */
const MIN_KEY_LENGTH = 16;

/** @throws {@link TracingOptionsError} for an endpoint that is not an http(s) address, and a ratio outside of 0 to 1. */
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

/** Options that a program in plain JavaScript may get wrong: the default is used, and `warn` is called. */
export function usableOptions(options: TracingOptions, warn: (message: string) => void): TracingOptions {
  const usable = { ...options };
  for (const name of Object.keys(options)) {
    if (!Object.hasOwn(OPTION_NAMES, name)) {
      warn(`convotel: there is no option ${JSON.stringify(name)}; it is ignored. Compare the names in the README.`);
    }
  }
  const misused = (name: string, value: unknown, instead: string, right: string): void =>
    warn(`convotel: the option ${name} is ${shown(value)}, which cannot be used; ${instead}. ${right}`);
  const check = (
    name: keyof TracingOptions,
    isRight: (value: unknown) => boolean,
    instead: string,
    right: string,
  ): void => {
    const value: unknown = usable[name];
    if (value === undefined || isRight(value)) return;
    misused(name, value, instead, right);
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
    'connections are made as the environment says',
    'Write an Agent of node:http or node:https, or one that can stand for it.',
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
    'errors are judged by the rules of the conventions',
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
    const right = `Write { key } with a secret of at least ${MIN_KEY_LENGTH} characters that all processes share, or a function.`;
    // Not shown: it may be a key that is too short.
    warn(
      'convotel: the option replaceIds cannot be used; ids are replaced by means of a random key, which no other process ' +
        `knows, so that conversations cannot be joined by their ids. ${right}`,
    );
    usable.replaceIds = { key: randomBytes(32).toString('hex') };
  }
  if (typeof usable.journal === 'object') usable.journal = usableJournal(usable.journal, misused);
  return usable;
}

function isReplacement(value: unknown): boolean {
  if (typeof value === 'function') return true;
  const { key } = (typeof value === 'object' && value !== null ? value : {}) as { key?: unknown };
  return typeof key === 'string' && key.length >= MIN_KEY_LENGTH;
}

function usableJournal(
  journal: JournalSettings,
  misused: (name: string, value: unknown, instead: string, right: string) => void,
): JournalSettings {
  const { folder, maxBytes, sync } = journal;
  const usable: JournalSettings = {};
  if (folder === undefined || (typeof folder === 'string' && folder !== '')) usable.folder = folder;
  else misused('journal.folder', folder, 'the default folder is used', 'Write a path.');
  if (maxBytes === undefined || (Number.isFinite(maxBytes) && maxBytes >= MIN_JOURNAL_BYTES))
    usable.maxBytes = maxBytes;
  else
    misused(
      'journal.maxBytes',
      maxBytes,
      `${DEFAULT_JOURNAL_BYTES} is used`,
      `Write a number of at least ${MIN_JOURNAL_BYTES}.`,
    );
  if (sync === undefined || ['never', 'interval', 'conversation', 'step'].includes(sync)) usable.sync = sync;
  else misused('journal.sync', sync, 'interval is used', "Write 'never', 'interval', 'conversation' or 'step'.");
  return usable;
}

function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : `of type ${typeof value}`;
}
