import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';

/** What to run, and where its words go. */
export interface BackgroundProcessOptions {
  command: string;
  words: readonly string[];
  /** Added to a bare environment: nothing of the tester's own settings reaches the program. */
  environment: Readonly<Record<string, string>>;
  /** Everything that it prints is appended here, over all its starts. */
  logPath: string;
}

/** A program that runs beside this one, can be killed, and started again. It never outlives this process. */
export class BackgroundProcess {
  readonly #options: BackgroundProcessOptions;
  #child: ChildProcess | undefined;
  #ended: Promise<void> = Promise.resolve();
  readonly #killOnExit = (): void => void this.#child?.kill('SIGKILL');

  constructor(options: BackgroundProcessOptions) {
    this.#options = options;
    process.on('exit', this.#killOnExit);
  }

  get isRunning(): boolean {
    return this.#child !== undefined;
  }

  /** All that it has printed so far, in all its starts. */
  readLog(): string {
    return readFileSync(this.#options.logPath, 'utf8');
  }

  start(): void {
    if (this.#child !== undefined) throw new Error(`${this.#options.command} runs already.`);
    const { command, words, environment, logPath } = this.#options;
    const log = openSync(logPath, 'a');
    const env = { PATH: process.env['PATH'], HOME: '/nonexistent', TZ: 'UTC', ...environment };
    const child = spawn(command, words, { env, stdio: ['ignore', log, log] });
    closeSync(log);
    this.#child = child;
    this.#ended = new Promise((resolve, reject) => {
      child.once('error', (error) => {
        this.#child = undefined;
        reject(error);
      });
      child.once('exit', () => {
        this.#child = undefined;
        resolve();
      });
    });
    // Whoever waits for the end hears of it; a start that failed shows in the wait for readiness.
    this.#ended.catch(() => {});
  }

  /** Sends `signal` and waits for the end. */
  async end(signal: NodeJS.Signals): Promise<void> {
    this.#child?.kill(signal);
    await this.#ended;
  }

  /** Ends it for good: by SIGTERM, and by SIGKILL when that takes more than `patienceMs`. */
  async stop(patienceMs = 5000): Promise<void> {
    process.off('exit', this.#killOnExit);
    const timer = setTimeout(() => this.#child?.kill('SIGKILL'), patienceMs);
    try {
      await this.end('SIGTERM');
    } finally {
      clearTimeout(timer);
    }
  }
}
