import { ExportResultCode } from '@opentelemetry/core';
import type { ExportResult } from '@opentelemetry/core';

/** What an exporter of OpenTelemetry offers, whatever it exports. */
export interface BatchExporter<Batch> {
  export(batch: Batch, done: (result: ExportResult) => void): void;
}

/** Settings of {@link ExportQueue}. */
export interface ExportQueueOptions {
  /** Exports under way at a time. */
  maxConcurrent: number;
  /** An export without a result by then has failed, in milliseconds. A peer that answers a byte at a time never times out otherwise. */
  timeoutMs: number;
}

interface Job<Batch> {
  batch: Batch;
  done: (result: ExportResult) => void;
  settled: () => void;
}

/**
 * Lets a few exports run at a time and gives each a result in the end. The stock exporter refuses a batch when too many
 * are under way and may never answer; here a batch waits for its turn, and every batch gets exactly one result.
 */
export class ExportQueue<Batch> {
  readonly #exporter: BatchExporter<Batch>;
  readonly #options: ExportQueueOptions;
  readonly #waiting: Job<Batch>[] = [];
  readonly #running = new Set<(result: ExportResult) => void>();
  readonly #unsettled = new Set<Promise<void>>();
  #isStopped = false;

  constructor(exporter: BatchExporter<Batch>, options: ExportQueueOptions) {
    this.#exporter = exporter;
    this.#options = options;
  }

  export(batch: Batch, done: (result: ExportResult) => void): void {
    const { promise, resolve } = deferred();
    this.#unsettled.add(promise);
    this.#waiting.push({
      batch,
      done,
      settled: () => {
        this.#unsettled.delete(promise);
        resolve();
      },
    });
    this.#startNext();
  }

  /** Resolves when every batch that was given before has its result. */
  async idle(): Promise<void> {
    await Promise.all(this.#unsettled);
  }

  /** Gives every batch that has none its result: failed. */
  stop(): void {
    this.#isStopped = true;
    const result = failure(new Error('not sent before tracing was stopped'));
    for (const finish of this.#running) finish(result);
    this.#startNext();
  }

  #startNext(): void {
    while (this.#waiting.length > 0 && (this.#isStopped || this.#running.size < this.#options.maxConcurrent)) {
      this.#start(this.#waiting.shift()!);
    }
  }

  #start(job: Job<Batch>): void {
    const timer = setTimeout(
      () => finish(failure(new Error(`no complete answer within ${this.#options.timeoutMs} ms`))),
      this.#options.timeoutMs,
    );
    const finish = (result: ExportResult): void => {
      if (!this.#running.delete(finish)) return;
      clearTimeout(timer);
      job.done(result);
      job.settled();
      this.#startNext();
    };
    this.#running.add(finish);
    if (this.#isStopped) {
      finish(failure(new Error('not sent before tracing was stopped')));
      return;
    }
    try {
      this.#exporter.export(job.batch, finish);
    } catch (error) {
      finish(failure(error instanceof Error ? error : new Error(String(error))));
    }
  }
}

function failure(error: Error): ExportResult {
  return { code: ExportResultCode.FAILED, error };
}

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve!: () => void;
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
