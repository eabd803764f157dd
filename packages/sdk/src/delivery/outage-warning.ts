import { nowMs } from '../settings/timers.ts';

/** A failure that comes and goes is said again after so long, unless its reason is another one. */
const SAY_AGAIN_AFTER_MS = 60_000;

/** Warns once per outage: when sending fails for the first time since it last worked. */
export class OutageWarning {
  readonly #what: string;
  readonly #where: string;
  readonly #meanwhile: () => string;
  readonly #warn: (message: string) => void;
  #problem: string | undefined;
  #saidReason: string | undefined;
  #saidMs = 0;

  /**
   * `what` is sent to `where`, as a person would call them: `spans`, `http://localhost:4318/v1/traces`. `meanwhile` says
   * what becomes of what is not sent.
   */
  constructor(what: string, where: string, meanwhile: () => string, warn: (message: string) => void) {
    this.#what = what;
    this.#where = where;
    this.#meanwhile = meanwhile;
    this.#warn = warn;
  }

  /** Why the newest attempt failed; undefined when it worked, or there was none. */
  get problem(): string | undefined {
    return this.#problem;
  }

  failed(reason: string): void {
    const isNew = this.#problem === undefined;
    this.#problem = reason;
    const isFamiliar = reason === this.#saidReason && nowMs() - this.#saidMs < SAY_AGAIN_AFTER_MS;
    if (!isNew || isFamiliar) return;
    this.#saidReason = reason;
    this.#saidMs = nowMs();
    this.#warn(
      `convotel: ${this.#what} cannot be delivered to ${this.#where}: ${reason}. The program goes on; ` +
        `${this.#meanwhile()}. ${adviceFor(reason)} This is said once, until it works again.`,
    );
  }

  worked(): void {
    this.#problem = undefined;
  }
}

/** What to do about a failure, as far as a status tells. */
function adviceFor(reason: string): string {
  if (/^answered 40[13]\b/.test(reason)) {
    return 'Check the key in the headers option or in OTEL_EXPORTER_OTLP_HEADERS.';
  }
  if (/^answered 4\d\d\b|^answered 3|web page/.test(reason)) {
    return 'Check the address in the endpoint option or in OTEL_EXPORTER_OTLP_ENDPOINT.';
  }
  return (
    'Start a back end there (for example `npx convotel serve`), or name another with the endpoint option or ' +
    'OTEL_EXPORTER_OTLP_ENDPOINT.'
  );
}
