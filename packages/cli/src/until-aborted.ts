/** Waits until `signal` is aborted; at once where it is already. An abort of `givenUp` takes the listener away again. */
export function untilAborted(signal: AbortSignal, givenUp?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true, ...(givenUp && { signal: givenUp }) });
  });
}
