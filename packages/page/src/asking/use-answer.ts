import { useEffect, useState } from 'preact/hooks';
import type { AskError } from './ask.ts';

/** What is known of an answer. The last value stays on the page while the next one is asked for, and when that fails. */
export interface Known<Value> {
  value?: Value | undefined;
  error?: AskError | undefined;
}

/**
 * Asks when `key` changes, and again `everyMs` after each answer, while the page is visible.
 * @param key - what is asked, in a text; a value for another key is never shown
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
    // What `ask` closes over is part of `key`.
  }, [key, everyMs]);
  return known.key === key ? known : {};
}

/** Runs `work` at once, and again `everyMs` after it was done; not while the page is hidden. */
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
