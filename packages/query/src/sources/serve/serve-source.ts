import { shownAddress, SourceError } from '../../errors.ts';
import { AnswerTooLargeError, HttpClient, socketPathOf } from '../../http/http-client.ts';
import type { HttpAnswer } from '../../http/http-client.ts';
import type { Answer } from '../../model/coverage.ts';
import type { AnyQuestion, ConversationSource, Question, QuestionName, Questions } from '../../questions.ts';
import { encodeQuestion } from './codec.ts';
import { readServeAnswer, readServeHealth } from './fetch-serve-source.ts';
import type { ServeHealth } from './fetch-serve-source.ts';

/** How a {@link ServeSource} asks. */
export interface ServeSourceOptions {
  /** How long one answer may take, in milliseconds. @defaultValue `30_000` */
  timeoutMs?: number | undefined;
  /** Longest answer that is read, in bytes: a server could send without end. @defaultValue `268_435_456` */
  maxAnswerBytes?: number | undefined;
  /** Shown to a `serve` that asks for one, where the address has no name and password. @defaultValue none */
  token?: string | undefined;
}

/** Asks a running `convotel serve` over HTTP. */
export class ServeSource implements ConversationSource {
  readonly kind = 'serve';
  readonly location: string;
  readonly #address: string;
  readonly #options: ServeSourceOptions;

  /** @param address Such as `http://127.0.0.1:4318`; with a path, or name and password, where needed; or `unix:/run/convotel.sock`. */
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
   * Asks how it is.
   * @throws `SourceError` `UNREACHABLE`, `WRONG_ANSWER`
   */
  async health(): Promise<ServeHealth> {
    const { status, headers, text } = await this.#get('/healthz', 'how it is');
    return readServeHealth(this.location, { status, contentType: headers['content-type'], text });
  }

  async close(): Promise<void> {}

  async #get(path: string, asked: string): Promise<HttpAnswer> {
    const { timeoutMs = 30_000, maxAnswerBytes = 268_435_456, token } = this.#options;
    const isToShow = token !== undefined && !/^[a-z]+:\/\/[^/]*@/i.test(this.#address);
    const client = new HttpClient(this.#address, {
      timeoutMs,
      maxAnswerBytes,
      expected: '`convotel serve`',
      ...(isToShow && { headers: { authorization: `Bearer ${token}` } }),
    });
    try {
      return await client.get(path);
    } catch (error) {
      if (!(error instanceof AnswerTooLargeError)) throw error;
      throw new SourceError(
        'WRONG_ANSWER',
        `${this.location} answered ${asked} with ${error.message}, which is not read to the end. Ask for less: a shorter time, or a smaller limit.`,
        { cause: error },
      );
    }
  }
}
