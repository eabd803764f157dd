/** A stretch of time `[since, until)` in Unix nanoseconds. A step belongs by its start, a conversation by its start. */
export interface Window {
  sinceUnixNano: bigint;
  untilUnixNano: bigint;
}

/** Whether `unixNano` lies in `window`; everything does where there is no window. */
export function isInWindow(unixNano: bigint, window: Window | undefined): boolean {
  return window === undefined || (unixNano >= window.sinceUnixNano && unixNano < window.untilUnixNano);
}
