import { HttpClient } from '../../http/http-client.ts';
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
    const { status, headers, text } = await client.get(encodeQuestion(question as AnyQuestion));
    return readServeAnswer(this.location, question, { status, contentType: headers['content-type'], text });
  }

  /**
   * Asks how it is.
   * @throws `SourceError` `UNREACHABLE`, `WRONG_ANSWER`
   */
  async health(): Promise<ServeHealth> {
    const client = new HttpClient(this.#address, { timeoutMs: this.#timeoutMs, expected: '`convotel serve`' });
    const { status, headers, text } = await client.get('/healthz');
    return readServeHealth(this.location, { status, contentType: headers['content-type'], text });
  }

  async close(): Promise<void> {}
}
