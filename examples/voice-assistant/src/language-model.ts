import { setTimeout as sleep } from 'node:timers/promises';

/** Thrown when too much was asked in too short a time. */
export class RateLimitError extends Error {
  override readonly name = 'RateLimitError';
}

/** What the model counted, once its answer is complete. */
export interface Usage {
  inputTokens: number;
  outputTokens: number;
}

/** A fake language model that answers word by word, and is busy at every third call. */
export class LanguageModel {
  readonly name = 'example-model-1';
  #calls = 0;

  async *stream(question: string, counted: (usage: Usage) => void): AsyncGenerator<string> {
    this.#calls += 1;
    await sleep(80);
    if (this.#calls % 3 === 0) throw new RateLimitError('API rate limit exceeded');
    const words = `You asked: ${question}`.split(' ');
    for (const word of words) {
      await sleep(30);
      yield `${word} `;
    }
    counted({ inputTokens: question.split(' ').length, outputTokens: words.length });
  }
}
