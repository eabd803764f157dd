import type { Terminal } from '../terminal.ts';

/** Avoids that the line flickers for a fast answer. */
const SHOWN_AFTER_MS = 300;
const TICK_MS = 1000;

/** Returns to the beginning of the line and clears it (ECMA-48, Erase in Line). */
const EMPTY_LINE = '\r\u001b[K';

/** A line on standard error that shows that something is in progress. */
export interface ProgressLine {
  /** Shows the progress, such as `12 % of 3,000,000 rows`. */
  update(detail: string): void;
  /** Removes the line permanently. */
  hide(): void;
}

/** Shows that `what` is in progress, if standard error is a terminal. */
export function showProgress(what: string, terminal: Terminal): ProgressLine {
  if (terminal.showsProgress !== true) return { update: () => {}, hide: () => {} };
  let isShown = false;
  let detail = '';
  let ticks: NodeJS.Timeout | undefined;
  const start = setTimeout(() => {
    let seconds = 0;
    const print = (): void => {
      const since = seconds === 0 ? '' : ` ${seconds} s`;
      const line = `${what} …${since}${detail} (Ctrl-C to stop)`;
      terminal.writeError(EMPTY_LINE + line.slice(0, Math.max((terminal.columns ?? 80) - 1, 20)));
      seconds += 1;
    };
    isShown = true;
    print();
    ticks = setInterval(print, TICK_MS);
  }, SHOWN_AFTER_MS);
  return {
    update: (text) => (detail = `, ${text}`),
    hide: () => {
      clearTimeout(start);
      clearInterval(ticks);
      if (isShown) terminal.writeError(EMPTY_LINE);
      isShown = false;
    },
  };
}
