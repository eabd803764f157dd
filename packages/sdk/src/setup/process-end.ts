import { processRegistry } from '@convotel/conventions';
import { isMainThread } from 'node:worker_threads';

/** What a setup must do when the process is about to end. */
export interface EndingSetup {
  /** Ends open spans as abandoned; synchronous. */
  abandonOpen(reason: string): void;
  /** Sends what waits, for at most so long. */
  flush(deadlineMs: number): Promise<void>;
  /** Counts everything that may still need sending; the natural end tries again only when it has grown. */
  keptSpans(): number;
  waitingSpans(): number;
  /** Releases everything; synchronous. */
  close(): void;
}

const NATURAL_END_DEADLINE_MS = 5000;
const SIGNAL_DEADLINE_MS = { SIGINT: 1000, SIGTERM: 5000 } as const;
type EndingSignal = keyof typeof SIGNAL_DEADLINE_MS;

/** Marks listeners of every copy of this package: they do not count as handlers of a signal. */
const OURS = Symbol.for('convotel.signal-listener');
type SignalListener = (() => void) & { [OURS]?: boolean };

/** Sends waiting spans when the process ends by itself or by a signal. Returns a function that stops watching. */
export function watchProcessEnd(setup: EndingSetup, handlesSignals: boolean): () => void {
  let triedSpans = -1;
  const beforeExit = (): void => {
    setup.abandonOpen('process_end');
    // The event fires again when the flush is over; without this check the process would never end.
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
    /** Without our listener the signal has its default effect. */
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

/** Listens for spans that were handed to another process. Returns a function that stops it. */
export function onRelease(listener: (span: object) => void): () => void {
  const { releaseListeners } = processRegistry();
  releaseListeners.add(listener);
  return () => releaseListeners.delete(listener);
}

/** Ends every step and conversation that is open, as far as the tracing package has left a way to do so. */
export function abandonOpen(reason: string): void {
  try {
    processRegistry().abandonOpen?.(reason);
  } catch {
    // Whatever fails, the process goes on to end; the next start closes what was open.
  }
}
