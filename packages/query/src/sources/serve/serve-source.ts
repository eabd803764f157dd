import { HttpClient, quoteAnswer } from '../../http/http-client.ts';
import type { HttpAnswer } from '../../http/http-client.ts';
import { shownAddress } from '../../http/shown-address.ts';
import type { Answer } from '../../model/coverage.ts';
import type { AnyQuestion, ConversationSource, Question, QuestionName, Questions } from '../../questions.ts';
import { SourceError } from '../../source-error.ts';
import { decodeAnswer, encodeQuestion } from './codec.ts';
import { AnswerFormatError } from './json-readers.ts';

/** How a {@link ServeSource} asks. */
export interface ServeSourceOptions {
  /** How long one answer may take, in milliseconds. @defaultValue `30_000` */
  timeoutMs?: number | undefined;
}

/** Asks a running `convotel serve` over HTTP. */
export class ServeSource implements ConversationSource {
  readonly kind = 'serve';
  readonly location: string;
  readonly #address: string;
  readonly #timeoutMs: number;

  /** @param address Such as `http://127.0.0.1:4318`; with a path, or name and password, where needed. */
  constructor(address: string, options: ServeSourceOptions = {}) {
    this.#address = address;
    this.#timeoutMs = options.timeoutMs ?? 30_000;
    this.location = shownAddress(address);
  }

  async ask<Name extends QuestionName>(question: Question<Name>): Promise<Answer<Questions[Name]['answer']>> {
    const client = new HttpClient(this.#address, { timeoutMs: this.#timeoutMs, expected: '`convotel serve`' });
    const answer = await client.get(encodeQuestion(question as AnyQuestion));
    this.#refuseOther(answer);
    try {
      return decodeAnswer(question, answer.text);
    } catch (error) {
      if (!(error instanceof AnswerFormatError)) throw error;
      throw this.#wrongAnswer(`sent something else than an answer to ${question.name}: ${error.message}`, error);
    }
  }

  async close(): Promise<void> {}

  #refuseOther({ status, headers, text }: HttpAnswer): void {
    if (status === 503) {
      throw new SourceError(
        'UNREACHABLE',
        `${this.location} cannot answer at present: ${quoteAnswer(text)} Try again soon.`,
      );
    }
    if (status !== 200) throw this.#wrongAnswer(`answered with status ${status}: ${quoteAnswer(text)}`);
    const contentType = headers['content-type'] ?? 'no content type';
    if (!contentType.startsWith('application/json')) {
      throw this.#wrongAnswer(`answered with ${contentType}, not JSON`);
    }
  }

  #wrongAnswer(what: string, cause?: unknown): SourceError {
    return new SourceError(
      'WRONG_ANSWER',
      `${this.location} ${what}. Is a \`convotel serve\` of this version running there?`,
      { cause },
    );
  }
}
