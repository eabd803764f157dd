import type { Coverage, ModelPrice } from '@convotel/query/answers';
import type { Answered, Asked } from './answer-worker.ts';
import type { AnswerName, AnswerOf, OptionsOf } from './answers.ts';
import type { StepKind } from '@convotel/conventions';

/** The reason for a missing answer, worded like the command line. */
export class AskError extends Error {
  override readonly name = 'AskError';
  readonly code: string;
  /** Status of the last response; 401 when a token is required. */
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
// Its script is loaded while the page is drawn for the first time.
let worker: Worker | undefined = startWorker();

/** Asks the server behind this page; the work is done in a worker. Rejects with {@link AskError} only. */
export function ask<Name extends AnswerName>(name: Name, options: OptionsOf<Name>): Promise<AnswerOf<Name>> {
  worker ??= startWorker();
  const number = ++lastNumber;
  const asked: Asked = { number, name, options };
  const answered = new Promise<AnswerOf<Name>>((resolve, reject) => waiting.set(number, { resolve, reject }));
  worker.postMessage(asked);
  answered.then(
    (answer) => sawFirst('coverage' in answer && (answer.coverage as Coverage).conversations > 0),
    () => sawFirst(false),
  );
  return answered;
}

let sawFirst: (hasSeen: boolean) => void;

/** Whether the first answer of the page contained a conversation; false also when it failed. */
export const firstAnswerSaw = new Promise<boolean>((resolve) => {
  sawFirst = resolve;
});

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
      `the page cannot load answers: ${message || 'its worker did not load'}; reload it`,
      0,
    );
    for (const call of waiting.values()) call.reject(error);
    waiting.clear();
    worker = undefined;
  });
  return started;
}

/** What the server says about itself at `/page/about.json`. */
export interface About {
  /** The source behind the server. */
  source: { kind: string; location: string };
  /** Whether programs may send spans to this address. */
  takesSpans: boolean;
  /** The settings of the `convotel.json` of the server. */
  settings?: {
    targetMs?: number;
    currency?: string;
    prices?: Readonly<Record<string, ModelPrice>>;
    /** Kinds of the steps whose name does not reveal it. */
    kinds?: Readonly<Record<string, StepKind>>;
  };
}

/** @throws `TypeError` when the server cannot be reached. */
export async function readAbout(): Promise<About | undefined> {
  const response = await fetch('page/about.json');
  return response.ok ? ((await response.json()) as About) : undefined;
}

/**
 * Signs in with the token of the server, and gets a cookie that no script can read.
 * @returns what was wrong, in words; undefined when it worked
 */
export async function signIn(token: string): Promise<string | undefined> {
  try {
    const response = await fetch('page/sign-in', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token }),
    });
    if (response.ok) return undefined;
    return response.status === 401
      ? 'That is not the token of this server.'
      : `The server answered ${response.status}.`;
  } catch (error) {
    return `The server cannot be reached: ${(error as Error).message}`;
  }
}
