/**
 * Runs `@convotel/query` in a worker, so that reading ten thousand rows or comparing two weeks never blocks scrolling.
 */
import { ServeSource } from '@convotel/query/answers';
import { answer } from './answers.ts';
import type { AnswerName, OptionsOf } from './answers.ts';

/** One call of an answer. */
export interface Asked {
  number: number;
  name: AnswerName;
  options: OptionsOf<AnswerName>;
}

/** The result of the call with the same number. */
export type Answered =
  | { number: number; value: unknown }
  | { number: number; error: { code: string; message: string; status?: number | undefined } };

let lastStatus: number | undefined;

const source = new ServeSource(self.location.origin, {
  get: async (url, init) => {
    const response = await fetch(url, init);
    lastStatus = response.status;
    return response;
  },
});

self.addEventListener('message', ({ data }: MessageEvent<Asked>) => {
  void answerTo(data).then((answered) => self.postMessage(answered));
});

async function answerTo({ number, name, options }: Asked): Promise<Answered> {
  try {
    return { number, value: await answer(source, name, options) };
  } catch (error) {
    const { code = 'INTERNAL', message } = error as Error & { code?: string };
    return { number, error: { code, message, status: lastStatus } };
  }
}
