/**
 * What `promise` gives; undefined as soon as `signal` is aborted, whether `promise` is over by then or not. What comes
 * of it after that, an error included, concerns nobody any more.
 */
export function unlessAborted<T>(signal: AbortSignal, promise: Promise<T>): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const abort = (): void => resolve(undefined);
    const finish = (settle: () => void): void => {
      signal.removeEventListener('abort', abort);
      settle();
    };
    promise.then(
      (value) => finish(() => resolve(value)),
      (error: unknown) => finish(() => (signal.aborted ? resolve(undefined) : reject(error))),
    );
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
}
