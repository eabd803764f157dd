import type { Coverage, ModelPrice } from '@convotel/query/answers';
import type { Answered, Asked } from './answer-worker.ts';
import type { AnswerName, AnswerOf, OptionsOf } from './answers.ts';
import type { StepKind } from '@convotel/conventions';

/** Why there is no answer, with the same message as on the command line. */
export class AskError extends Error {
  override readonly name = 'AskError';
  readonly code: string;
  /** Status of the last response; 401 if a token is required. */
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
// Started immediately, so that its script is loaded during the first rendering.
let worker: Worker | undefined = startWorker();

/** Asks the server of this page, in a worker. Rejects only with {@link AskError}. */
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

/** Whether the first answer contained a conversation; false if it failed. */
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

/** The content of `/page/about.json`. */
export interface About {
  /** The source that the server reads from. */
  source: { kind: string; location: string };
  /** Whether programs may send spans to this address. */
  takesSpans: boolean;
  /** The settings in the server's `convotel.json`. */
  settings?: {
    targetMs?: number;
    currency?: string;
    prices?: Readonly<Record<string, ModelPrice>>;
    /** Kinds of the steps for which it cannot be derived from the name. */
    kinds?: Readonly<Record<string, StepKind>>;
  };
}

/** @throws `TypeError` if the server cannot be reached. */
export async function readAbout(): Promise<About | undefined> {
  const response = await fetch('page/about.json');
  return response.ok ? ((await response.json()) as About) : undefined;
}

/**
 * Signs in with a token of the server, which sets an HttpOnly cookie.
 * @returns an error message, or undefined on success
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
