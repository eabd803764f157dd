import { processRegistry } from '@convotel/conventions';
import { isMainThread } from 'node:worker_threads';

/** What is called when the process is about to end. */
export interface EndingSetup {
  /** Ends open spans as abandoned; synchronous. */
  abandonOpen(reason: string): void;
  /** Sends waiting spans, for at most `deadlineMs`. */
  flush(deadlineMs: number): Promise<void>;
  /** Number of spans stored so far; at a normal exit, sending is tried again only if it has grown. */
  keptSpans(): number;
  waitingSpans(): number;
  /** Releases everything; synchronous. */
  close(): void;
}

const NATURAL_END_DEADLINE_MS = 5000;
const SIGNAL_DEADLINE_MS = { SIGINT: 1000, SIGTERM: 5000 } as const;
type EndingSignal = keyof typeof SIGNAL_DEADLINE_MS;

/** Marks the signal listeners of all copies of this package, which do not count as the program's own. */
const OURS = Symbol.for('convotel.signal-listener');
type SignalListener = (() => void) & { [OURS]?: boolean };

/** Sends waiting spans when the process exits normally or by a signal. Returns a function that removes the listeners. */
export function watchProcessEnd(setup: EndingSetup, handlesSignals: boolean): () => void {
  let triedSpans = -1;
  const beforeExit = (): void => {
    setup.abandonOpen('process_end');
    // `beforeExit` fires again after the flush; without this check the process would never exit.
    if (setup.waitingSpans() === 0 || setup.keptSpans() === triedSpans) return;
    triedSpans = setup.keptSpans();
    void setup.flush(NATURAL_END_DEADLINE_MS);
  };
  const exit = (): void => {
    setup.abandonOpen('process_end');
    setup.close();
  };
  process.on('beforeExit', beforeExit);
  process.on('exit', exit);
  // Signals are delivered to the main thread only.
  const stopListening = handlesSignals && isMainThread ? listenForSignals(setup) : () => {};
  return () => {
    process.off('beforeExit', beforeExit);
    process.off('exit', exit);
    stopListening();
  };
}

function listenForSignals(setup: EndingSetup): () => void {
  const removals = (Object.keys(SIGNAL_DEADLINE_MS) as EndingSignal[]).map((signal) => {
    let isEnding = false;
    const listener: SignalListener = () => {
      if (isEnding) return raise();
      if (process.listeners(signal).some((each) => (each as SignalListener)[OURS] !== true)) return;
      isEnding = true;
      setup.abandonOpen(signal);
      void setup.flush(SIGNAL_DEADLINE_MS[signal]).finally(raise);
    };
    listener[OURS] = true;
    /** Removes our listener and sends the signal again, so that it has its default effect. */
    const raise = (): void => {
      if (!process.listeners(signal).includes(listener)) return;
      process.off(signal, listener);
      setup.close();
      process.kill(process.pid, signal);
    };
    process.on(signal, listener);
    return () => process.off(signal, listener);
  });
  return () => {
    for (const remove of removals) remove();
  };
}

/** Listens for spans that were handed off to another process. Returns a function that removes the listener. */
export function onRelease(listener: (span: object) => void): () => void {
  const { releaseListeners } = processRegistry();
  releaseListeners.add(listener);
  return () => releaseListeners.delete(listener);
}

/** Ends every open step and conversation, if the tracing package is loaded. */
export function abandonOpen(reason: string): void {
  try {
    processRegistry().abandonOpen?.(reason);
  } catch {
    // An error must not keep the process from exiting; the next start closes what was open.
  }
}
