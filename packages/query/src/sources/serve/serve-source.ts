import { shownAddress, SourceError } from '../../errors.ts';
import { AnswerTooLargeError, HttpClient, socketPathOf } from '../../http/http-client.ts';
import type { HttpAnswer } from '../../http/http-client.ts';
import type { Answer } from '../../model/coverage.ts';
import type { AnyQuestion, ConversationSource, Question, QuestionName, Questions } from '../../questions.ts';
import { encodeQuestion } from './codec.ts';
import { readServeAnswer, readServeHealth } from './fetch-serve-source.ts';
import type { ServeHealth } from './fetch-serve-source.ts';

/** Options of {@link ServeSource}. */
export interface ServeSourceOptions {
  /** Timeout of one request, in milliseconds. @defaultValue `30_000` */
  timeoutMs?: number | undefined;
  /** Maximum size of a response, in bytes. @defaultValue `268_435_456` */
  maxAnswerBytes?: number | undefined;
  /**
   * Bearer token for a `serve` that requires one; not used if the address has a name and password.
   * @defaultValue none
   */
  token?: string | undefined;
}

/** Asks a running `convotel serve` over HTTP. */
export class ServeSource implements ConversationSource {
  readonly kind = 'serve';
  readonly location: string;
  readonly #address: string;
  readonly #options: ServeSourceOptions;

  /**
   * @param address Such as `http://127.0.0.1:4318`; with a path, or name and password, if needed; or
   * `unix:/run/convotel.sock`.
   */
  constructor(address: string, options: ServeSourceOptions = {}) {
    this.#address = address;
    this.#options = options;
    this.location = socketPathOf(address) === undefined ? shownAddress(address) : address;
  }

  async ask<Name extends QuestionName>(question: Question<Name>): Promise<Answer<Questions[Name]['answer']>> {
    const { status, headers, text } = await this.#get(encodeQuestion(question as AnyQuestion), question.name);
    return readServeAnswer(this.location, question, { status, contentType: headers['content-type'], text });
  }

  /**
   * The health of the server.
   * @throws `SourceError` `UNREACHABLE`, `WRONG_ANSWER`
   */
  async health(): Promise<ServeHealth> {
    const { status, headers, text } = await this.#get('/healthz', 'the health check');
    return readServeHealth(this.location, { status, contentType: headers['content-type'], text });
  }

  async close(): Promise<void> {}

  async #get(path: string, asked: string): Promise<HttpAnswer> {
    const { timeoutMs = 30_000, maxAnswerBytes = 268_435_456, token } = this.#options;
    const usesToken = token !== undefined && !/^[a-z]+:\/\/[^/]*@/i.test(this.#address);
    const client = new HttpClient(this.#address, {
      timeoutMs,
      maxAnswerBytes,
      expected: '`convotel serve`',
      ...(usesToken && { headers: { authorization: `Bearer ${token}` } }),
    });
    try {
      return await client.get(path);
    } catch (error) {
      if (!(error instanceof AnswerTooLargeError)) throw error;
      throw new SourceError(
        'WRONG_ANSWER',
        `${this.location} answered ${asked} with ${error.message}, which is over the limit for one answer. Ask for a shorter time range, or use a smaller limit.`,
        { cause: error },
      );
    }
  }
}
