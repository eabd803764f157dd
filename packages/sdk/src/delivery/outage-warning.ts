/** Warns once per outage: when sending fails for the first time since it last worked. */
export class OutageWarning {
  readonly #what: string;
  readonly #where: string;
  readonly #meanwhile: () => string;
  readonly #warn: (message: string) => void;
  #problem: string | undefined;

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
    if (!isNew) return;
    this.#warn(
      `convotel: ${this.#what} cannot be delivered to ${this.#where}: ${reason}. The program goes on; ` +
        `${this.#meanwhile()}. Start a back end there (for example \`npx convotel serve\`), or name another with the ` +
        'endpoint option or OTEL_EXPORTER_OTLP_ENDPOINT. This is said once, until it works again.',
    );
  }

  worked(): void {
    this.#problem = undefined;
  }
}
