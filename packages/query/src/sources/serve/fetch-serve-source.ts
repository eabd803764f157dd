import { authorizationFor, shownAddress } from '../../http/shown-address.ts';
import type { Answer } from '../../model/coverage.ts';
import type { AnyQuestion, ConversationSource, Question, QuestionName, Questions } from '../../questions.ts';
import { SourceError } from '../../source-error.ts';
import { decodeAnswer, encodeQuestion } from './codec.ts';
import { AnswerFormatError } from './json-readers.ts';

/** What {@link ServeSource} needs of `fetch`; the global one fits. */
export type Get = (
  url: string,
  options: { headers: Record<string, string>; redirect: 'error'; signal: AbortSignal },
) => Promise<GetResponse>;

/** What {@link ServeSource} reads of a response. */
export interface GetResponse {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  text(): Promise<string>;
}

/** How a {@link ServeSource} asks. */
export interface ServeSourceOptions {
  /** How long one answer may take, in milliseconds. @defaultValue `30_000` */
  timeoutMs?: number | undefined;
  /** Makes the requests, such as one that adds a header. @defaultValue the global `fetch` */
  get?: Get | undefined;
}

/** Longest piece of an answer that an error message quotes, in UTF-16 code units. */
const MAX_QUOTED_LENGTH = 200;

/** Asks a running `convotel serve` over HTTP, with nothing but what browsers have too. */
export class ServeSource implements ConversationSource {
  readonly kind = 'serve';
  readonly location: string;
  readonly #timeoutMs: number;
  readonly #get: Get;
  readonly #authorization: { authorization?: string };

  /** @param address Such as `http://127.0.0.1:4318`; on a page that `serve` delivers, `location.origin`. */
  constructor(address: string, options: ServeSourceOptions = {}) {
    this.location = shownAddress(address);
    // Browsers refuse to fetch an address with a name and password in it.
    this.#authorization = URL.canParse(address) ? authorizationFor(new URL(address)) : {};
    this.#timeoutMs = options.timeoutMs ?? 30_000;
    // Called as a method of another object, the fetch of browsers refuses to work.
    this.#get = options.get ?? ((url, init) => fetch(url, init));
  }

  async ask<Name extends QuestionName>(question: Question<Name>): Promise<Answer<Questions[Name]['answer']>> {
    const url = new URL(encodeQuestion(question as AnyQuestion), this.location).href;
    const { status, contentType, text } = await this.#read(url);
    if (status === 503) {
      throw new SourceError(
        'UNREACHABLE',
        `${this.location} cannot answer at present: ${quoted(text)} Try again soon.`,
      );
    }
    if (status !== 200) throw this.#wrongAnswer(`answered with status ${status}: ${quoted(text)}`);
    if (!contentType.startsWith('application/json')) {
      throw this.#wrongAnswer(`answered with ${contentType}, not JSON`);
    }
    try {
      return decodeAnswer(question, text);
    } catch (error) {
      if (!(error instanceof AnswerFormatError)) throw error;
      throw this.#wrongAnswer(`did not send an answer to ${question.name}: ${error.message}`, error);
    }
  }

  async close(): Promise<void> {}

  async #read(url: string): Promise<{ status: number; contentType: string; text: string }> {
    const signal = AbortSignal.timeout(this.#timeoutMs);
    try {
      const headers = { accept: 'application/json', ...this.#authorization };
      const response = await this.#get(url, { headers, redirect: 'error', signal });
      const contentType = response.headers.get('content-type') ?? 'no content type';
      return { status: response.status, contentType, text: await response.text() };
    } catch (error) {
      const reason = signal.aborted ? `no answer within ${this.#timeoutMs / 1000} s` : reasonOf(error);
      throw new SourceError(
        'UNREACHABLE',
        `Cannot read from ${this.location}: ${reason}. Is \`convotel serve\` running there?`,
        { cause: error },
      );
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

/** The reason behind "fetch failed", where the platform gives one. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Partial<Error>;
  return cause === undefined ? String(message ?? error) : reasonOf(cause);
}

function quoted(text: string): string {
  const start = text.slice(0, MAX_QUOTED_LENGTH).trim();
  return JSON.stringify(text.length > MAX_QUOTED_LENGTH ? `${start}…` : start);
}
