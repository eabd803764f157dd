import type { Answer } from '../../model/coverage.ts';
import type { AnyQuestion, ConversationSource, Question, QuestionName, Questions } from '../../questions.ts';
import { quoteAnswer, reasonOfFailure } from '../foreign-answer.ts';
import { httpGet, readHttpBody, type HttpResponse } from '../http-get.ts';
import { SourceError } from '../source-error.ts';
import { decodeAnswer } from './decode-answer.ts';
import { encodeQuestion } from './encode-question.ts';
import { AnswerFormatError } from './json-readers.ts';

/** How a {@link ServeSource} asks. */
export interface ServeSourceOptions {
  /** How long one answer may take, in milliseconds. @defaultValue `30_000` */
  timeoutMs?: number;
}

/** Asks a running `convotel serve` over HTTP. */
export class ServeSource implements ConversationSource {
  readonly kind = 'serve';
  readonly location: string;
  readonly #timeoutMs: number;

  /** @param address Such as `http://127.0.0.1:4318`; a path in it is not looked at. */
  constructor(address: string, options: ServeSourceOptions = {}) {
    this.location = address;
    this.#timeoutMs = options.timeoutMs ?? 30_000;
  }

  async ask<Name extends QuestionName>(question: Question<Name>): Promise<Answer<Questions[Name]['answer']>> {
    const deadline = AbortSignal.timeout(this.#timeoutMs);
    const response = await this.#get(encodeQuestion(question as AnyQuestion), deadline);
    const text = await this.#readBody(response, deadline);
    if (response.status === 503) {
      throw new SourceError(
        'UNREACHABLE',
        `${this.location} cannot answer at present: ${quoteAnswer(text)} Try again soon.`,
      );
    }
    if (response.status !== 200) {
      throw this.#wrongAnswer(`answered with status ${response.status}: ${quoteAnswer(text)}`);
    }
    const contentType = response.headers['content-type'] ?? 'no content type';
    if (!contentType.startsWith('application/json')) {
      throw this.#wrongAnswer(`answered with ${contentType}, not JSON`);
    }
    try {
      return decodeAnswer(question, text);
    } catch (error) {
      if (!(error instanceof AnswerFormatError)) throw error;
      throw this.#wrongAnswer(`sent what is no answer to ${question.name}: ${error.message}`, error);
    }
  }

  async close(): Promise<void> {}

  async #get(pathAndQuery: string, deadline: AbortSignal): Promise<HttpResponse> {
    try {
      return await httpGet(new URL(pathAndQuery, this.location), { signal: deadline });
    } catch (error) {
      if (deadline.aborted) throw this.#tooSlow(error);
      throw new SourceError(
        'UNREACHABLE',
        `Nobody answers at ${this.location}: ${reasonOfFailure(error)}. Start \`convotel serve\`, or name another place to read from.`,
        { cause: error },
      );
    }
  }

  async #readBody(response: HttpResponse, deadline: AbortSignal): Promise<string> {
    try {
      return await readHttpBody(response);
    } catch (error) {
      if (deadline.aborted) throw this.#tooSlow(error);
      throw this.#wrongAnswer(`broke off its answer: ${reasonOfFailure(error)}`, error);
    }
  }

  #tooSlow(cause: unknown): SourceError {
    return new SourceError(
      'UNREACHABLE',
      `${this.location} has not answered within ${this.#timeoutMs / 1000} s. Ask for a shorter time, or see whether it is overloaded.`,
      { cause },
    );
  }

  #wrongAnswer(what: string, cause?: unknown): SourceError {
    return new SourceError(
      'WRONG_ANSWER',
      `${this.location} ${what}. Is a \`convotel serve\` of this version running there?`,
      { cause },
    );
  }
}
