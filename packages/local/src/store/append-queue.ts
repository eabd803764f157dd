import { setImmediate } from 'node:timers/promises';
import type { SpanRecord } from '@convotel/query';
import type { LocalError } from '../local-error.ts';

/** Most spans in one transaction, so that no request waits long for it. */
const MAX_SPANS_PER_COMMIT = 4_096;

/** Spans of one request, and who waits for them to be stored. */
export interface WaitingAppend {
  spans: readonly SpanRecord[];
  resolve(): void;
  reject(error: LocalError): void;
}

/** Requests that wait for a transaction; all that are waiting share the next one. */
export class AppendQueue {
  readonly #waiting: WaitingAppend[] = [];

  get length(): number {
    return this.#waiting.length;
  }

  add(append: WaitingAppend): void {
    this.#waiting.push(append);
  }

  /** The requests of the next transaction. */
  async takeGroup(): Promise<WaitingAppend[]> {
    await this.#gather();
    let spanCount = 0;
    let count = 0;
    while (count < this.#waiting.length && (count === 0 || spanCount < MAX_SPANS_PER_COMMIT)) {
      spanCount += this.#waiting[count]!.spans.length;
      count += 1;
    }
    return this.#waiting.splice(0, count);
  }

  /**
   * Waits while each turn of the event loop brings more, up to a full transaction, because a transaction costs as much
   * as some hundred spans. If nothing more arrives, that is one turn.
   */
  async #gather(): Promise<void> {
    let seen = 0;
    while (seen < this.#waiting.length && this.#spanCount() < MAX_SPANS_PER_COMMIT) {
      seen = this.#waiting.length;
      await setImmediate();
    }
  }

  #spanCount(): number {
    return this.#waiting.reduce((sum, { spans }) => sum + spans.length, 0);
  }
}
