import { nowMs } from '../settings/timers.ts';

const MAX_ANSWER_LENGTH = 200;

/** Messages for the common connection error codes. */
const MESSAGES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EPIPE: 'connection closed while sending',
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'the host name could not be looked up',
  ETIMEDOUT: 'connection timed out',
  EHOSTUNREACH: 'host unreachable',
  ENETUNREACH: 'network unreachable',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'the certificate is self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'a certificate in the chain is self-signed',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'the certificate cannot be verified',
  CERT_HAS_EXPIRED: 'the certificate has expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'the certificate is for another host',
};

/**
 * Describes briefly why a request failed. Text from the server is quoted as JSON, so that it cannot contain terminal
 * escapes.
 */
export function describeFailure(error: unknown): string {
  const { code, data, message } = (typeof error === 'object' && error !== null ? error : {}) as Record<string, unknown>;
  if (typeof code === 'number') {
    const text = typeof data === 'string' && data !== '' ? data : message;
    return typeof text === 'string' && text !== '' ? `answered ${code} ${quoted(text)}` : `answered ${code}`;
  }
  if (typeof code === 'string') return `${MESSAGES[code] ?? quoted(String(message))} (${code})`;
  return typeof message === 'string' ? quotedIfStrange(message) : 'unknown reason';
}

/** The address without the parts that may be secret: user, password, query. */
export function displayUrl(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}`;
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, MAX_ANSWER_LENGTH));
}

function quotedIfStrange(message: string): string {
  return /^[\x20-\x7e]{1,200}$/.test(message) ? message : quoted(message);
}

/** An intermittent failure is reported again after this time; one with a different reason immediately. */
const REPEAT_WARNING_AFTER_MS = 60_000;

/** Warns once per outage, when sending fails for the first time after it last succeeded. */
export class OutageWarning {
  readonly #what: string;
  readonly #where: string;
  readonly #meanwhile: () => string;
  readonly #warn: (message: string) => void;
  #problem: string | undefined;
  #saidReason: string | undefined;
  #saidMs = 0;

  /**
   * The parameters are inserted into the warning: `what` is sent (`spans`), `where` to
   * (`http://localhost:4318/v1/traces`), and what happens `meanwhile` to unsent data.
   */
  constructor(what: string, where: string, meanwhile: () => string, warn: (message: string) => void) {
    this.#what = what;
    this.#where = where;
    this.#meanwhile = meanwhile;
    this.#warn = warn;
  }

  /** Why the latest attempt failed; undefined if it succeeded or there was none. */
  get problem(): string | undefined {
    return this.#problem;
  }

  failed(reason: string): void {
    const isNew = this.#problem === undefined;
    this.#problem = reason;
    const isFamiliar = reason === this.#saidReason && nowMs() - this.#saidMs < REPEAT_WARNING_AFTER_MS;
    if (!isNew || isFamiliar) return;
    this.#saidReason = reason;
    this.#saidMs = nowMs();
    this.#warn(
      `convotel: ${this.#what} cannot be delivered to ${this.#where}: ${reason}. The program goes on; ` +
        `${this.#meanwhile()}. ${adviceFor(reason)} This warning is not repeated until it works again.`,
    );
  }

  worked(): void {
    this.#problem = undefined;
  }
}

/** Suggests what to do, depending on the status in `reason`. */
function adviceFor(reason: string): string {
  if (/^answered 40[13]\b/.test(reason)) {
    return 'Check the key in the headers option or in OTEL_EXPORTER_OTLP_HEADERS.';
  }
  if (/^answered 429\b/.test(reason)) {
    return 'It limits how much it accepts, so sending goes on more slowly.';
  }
  if (reason.startsWith('answered 5')) return 'The log of the back end, or of a proxy before it, may say why.';
  if (/^answered 4\d\d\b|^answered 3|web page/.test(reason)) {
    return 'Check the address in the endpoint option or in OTEL_EXPORTER_OTLP_ENDPOINT.';
  }
  return (
    'Start a back end there (for example `npx convotel serve`), or name another with the endpoint option or ' +
    'OTEL_EXPORTER_OTLP_ENDPOINT.'
  );
}

const FIRST_MS = 500;
/** A wait is then at most a third of the outage so far: after a minute, the rest arrives within half a minute. */
const GROWTH = 1.25;
const LONGEST_MS = 30_000;

/** Exponential backoff with jitter, from 0.5 to 30 seconds. */
export class Backoff {
  failures = 0;
  readonly #random: () => number;

  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  /** Counts one more failure and returns the delay in milliseconds. */
  next(): number {
    const longest = Math.min(FIRST_MS * GROWTH ** this.failures, LONGEST_MS);
    this.failures += 1;
    return longest * (0.5 + this.#random() / 2);
  }

  reset(): void {
    this.failures = 0;
  }
}
