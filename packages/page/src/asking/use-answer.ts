import { useEffect, useState } from 'preact/hooks';
import type { WindowedOptions } from '@convotel/query/answers';
import { isMoving, windowOf } from '../address.ts';
import type { Address } from '../address.ts';
import type { AskError } from './ask.ts';

/** How often a view with a moving window asks again. */
const EVERY_MS = 10_000;

/** Options for questions about the window of the address. */
export interface AskedFor {
  /** A key of everything in `options` that does not move with the clock. */
  key: string;
  /** Undefined for a fixed window. */
  everyMs: number | undefined;
  /** The window as of now. */
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

/** The state of an answer. The last value stays on the page while the next one is loading, and when that fails. */
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
    // Everything that `ask` closes over is part of `key`.
  }, [key, everyMs]);
  return known.key === key ? known : {};
}

/** Runs `work` at once, and again `everyMs` after it has finished; not while the page is hidden. */
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
