import { useEffect, useState } from 'preact/hooks';
import type { WindowedOptions } from '@convotel/query/answers';
import { isMoving, windowOf } from '../address.ts';
import type { Address } from '../address.ts';
import type { AskError } from './ask.ts';

/** Refresh interval of a view with a moving window. */
const EVERY_MS = 10_000;

/** Options for questions about the window of the address. */
export interface AskedFor {
  /** Identifies everything in `options` that does not change with the time. */
  key: string;
  /** Refresh interval in milliseconds; undefined for a fixed window. */
  everyMs: number | undefined;
  /** The options with the current window. */
  options: () => WindowedOptions;
}

export function askedFor({ address, zone }: { address: Address; zone: string }): AskedFor {
  const { since, until, filters } = address;
  return {
    key: JSON.stringify([since, until, filters, zone]),
    everyMs: isMoving(address) ? EVERY_MS : undefined,
    options: () => ({ timeZone: zone, filters, window: windowOf(address, Date.now()) }),
  };
}

/** The state of an answer. The last value stays while the next one is loading, and if that fails. */
export interface Known<Value> {
  value?: Value | undefined;
  error?: AskError | undefined;
}

/**
 * Asks when `key` changes, and again `everyMs` after each answer, while the page is visible.
 * @param key - identifies the question; a value for another key is never shown
 */
export function useAnswer<Value>(key: string, ask: () => Promise<Value>, everyMs?: number): Known<Value> {
  const [known, setKnown] = useState<Known<Value> & { key: string }>({ key });
  useEffect(() => {
    const over = new AbortController();
    void askAgain(over.signal, everyMs, async () => {
      try {
        const value = await ask();
        if (!over.signal.aborted) setKnown({ key, value });
      } catch (error) {
        if (over.signal.aborted) return;
        setKnown((before) => ({ ...(before.key === key ? before : { key }), error: error as AskError }));
      }
    });
    return () => over.abort();
    // `key` identifies everything that `ask` depends on.
  }, [key, everyMs]);
  return known.key === key ? known : {};
}

/** Runs `work` immediately, and again `everyMs` after it has finished; pauses while the page is hidden. */
export async function askAgain(
  over: AbortSignal,
  everyMs: number | undefined,
  work: () => Promise<void>,
): Promise<void> {
  for (;;) {
    await work();
    if (everyMs === undefined || over.aborted) return;
    await new Promise((resolve) => setTimeout(resolve, everyMs));
    if (document.hidden) {
      await new Promise<void>((resolve) => {
        document.addEventListener('visibilitychange', () => resolve(), { once: true, signal: over });
        over.addEventListener('abort', () => resolve(), { once: true });
      });
    }
    if (over.aborted) return;
  }
}
