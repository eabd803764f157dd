import { setTimeout as sleep } from 'node:timers/promises';

/** What the model said, and what it counted. */
export interface Reply {
  text: string;
  inputTokens: number;
  outputTokens: number;
}

/** Thrown when too much was asked in too short a time. */
export class RateLimitError extends Error {
  override readonly name = 'RateLimitError';
}

/** A fake language model that is busy at every third call. */
export class LanguageModel {
  readonly name = 'example-model-1';
  #calls = 0;

  async complete(question: string): Promise<Reply> {
    this.#calls += 1;
    if (this.#calls % 3 === 0) {
      await sleep(50);
      throw new RateLimitError('API rate limit exceeded');
    }
    await sleep(300);
    const text = `You asked: ${question}`;
    return { text, inputTokens: question.split(' ').length, outputTokens: text.split(' ').length };
  }
}
