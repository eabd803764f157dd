import type { Answered, Asked } from './answer-worker.ts';
import type { AnswerName, AnswerOf, OptionsOf } from './answers.ts';

/** An answer that did not come, in the words of the command line. */
export class AskError extends Error {
  override readonly name = 'AskError';
  readonly code: string;
  /** Status of the last response; 401 where a token is wanted. */
  readonly status: number | undefined;

  constructor(code: string, message: string, status: number | undefined) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

interface Waiting {
  resolve: (value: never) => void;
  reject: (error: AskError) => void;
}

const waiting = new Map<number, Waiting>();
let lastNumber = 0;
let worker: Worker | undefined;

/** Asks the server behind this page; the work is done in a worker. Rejects with {@link AskError} only. */
export function ask<Name extends AnswerName>(name: Name, options: OptionsOf<Name>): Promise<AnswerOf<Name>> {
  worker ??= startWorker();
  const number = ++lastNumber;
  const asked: Asked = { number, name, options };
  const answered = new Promise<AnswerOf<Name>>((resolve, reject) => waiting.set(number, { resolve, reject }));
  worker.postMessage(asked);
  return answered;
}

function startWorker(): Worker {
  const started = new Worker(new URL('./answer-worker.ts', import.meta.url), { type: 'module' });
  started.addEventListener('message', ({ data }: MessageEvent<Answered>) => {
    const call = waiting.get(data.number);
    waiting.delete(data.number);
    if ('error' in data) call?.reject(new AskError(data.error.code, data.error.message, data.error.status));
    else call?.resolve(data.value as never);
  });
  started.addEventListener('error', ({ message }) => {
    const error = new AskError(
      'INTERNAL',
      `the page cannot ask: ${message || 'its worker did not load'}; reload it`,
      0,
    );
    for (const call of waiting.values()) call.reject(error);
    waiting.clear();
    worker = undefined;
  });
  return started;
}
