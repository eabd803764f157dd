import type { Window } from '../../model/window.ts';
import type { WindowReading } from './read-window.ts';

/** Questions of one command come within seconds; spans that arrive in between are left to the next one. */
export const REUSED_FOR_MS = 10_000;

/** More than any command asks for: `compare` reads two windows, `recent` up to four stretches. */
const READINGS_KEPT = 8;

/** Of what a reading is. */
export interface ReadingScope {
  window: Window;
  /** All services when absent. */
  service?: string | undefined;
}

interface Kept {
  key: string;
  startedMs: number;
  reading: Promise<WindowReading>;
}

/** Keeps the latest readings for a short time, so that the questions of one command read once. */
export class Readings {
  readonly #clock: () => Date;
  #kept: Kept[] = [];

  constructor(clock: () => Date) {
    this.#clock = clock;
  }

  /** A fresh reading of exactly this scope, if there is one. */
  find(scope: ReadingScope): Promise<WindowReading> | undefined {
    const nowMs = this.#clock().getTime();
    this.#kept = this.#kept.filter(({ startedMs }) => Math.abs(nowMs - startedMs) <= REUSED_FOR_MS);
    const key = keyOf(scope);
    const found = this.#kept.find((kept) => kept.key === key);
    if (found === undefined) return undefined;
    this.#kept = [...this.#kept.filter((kept) => kept !== found), found];
    return found.reading;
  }

  /** Reads by `read` unless there is a fresh reading. */
  get(scope: ReadingScope, read: () => Promise<WindowReading>): Promise<WindowReading> {
    const found = this.find(scope);
    if (found !== undefined) return found;
    const kept: Kept = { key: keyOf(scope), startedMs: this.#clock().getTime(), reading: read() };
    this.#kept = [...this.#kept, kept].slice(-READINGS_KEPT);
    kept.reading.then(
      () => (kept.startedMs = this.#clock().getTime()),
      // Whoever asked hears of the failure; the next question tries again.
      () => (this.#kept = this.#kept.filter((other) => other !== kept)),
    );
    return kept.reading;
  }

  clear(): void {
    this.#kept = [];
  }
}

function keyOf({ window, service }: ReadingScope): string {
  return JSON.stringify([String(window.sinceUnixNano), String(window.untilUnixNano), service]);
}
