import { HttpClient, socketPathOf } from '../../http/http-client.ts';
import type { HttpAnswer } from '../../http/http-client.ts';
import { shownAddress } from '../../http/shown-address.ts';
import type { Answer } from '../../model/coverage.ts';
import type { AnyQuestion, ConversationSource, Question, QuestionName, Questions } from '../../questions.ts';
import { encodeQuestion } from './codec.ts';
import { readServeAnswer, readServeHealth } from './serve-answer.ts';
import type { ServeHealth } from './serve-answer.ts';

/** How a {@link ServeSource} asks. */
export interface ServeSourceOptions {
  /** How long one answer may take, in milliseconds. @defaultValue `30_000` */
  timeoutMs?: number | undefined;
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
    const { status, headers, text } = await this.#get(encodeQuestion(question as AnyQuestion));
    return readServeAnswer(this.location, question, { status, contentType: headers['content-type'], text });
  }

  /**
   * Asks how it is.
   * @throws `SourceError` `UNREACHABLE`, `WRONG_ANSWER`
   */
  async health(): Promise<ServeHealth> {
    const { status, headers, text } = await this.#get('/healthz');
    return readServeHealth(this.location, { status, contentType: headers['content-type'], text });
  }

  async close(): Promise<void> {}

  #get(path: string): Promise<HttpAnswer> {
    const { timeoutMs = 30_000, token } = this.#options;
    const isToShow = token !== undefined && !/^[a-z]+:\/\/[^/]*@/i.test(this.#address);
    const client = new HttpClient(this.#address, {
      timeoutMs,
      expected: '`convotel serve`',
      ...(isToShow && { headers: { authorization: `Bearer ${token}` } }),
    });
    return client.get(path);
  }
}
