import { authorizationFor, shownAddress } from '../../http/shown-address.ts';
import type { Answer } from '../../model/coverage.ts';
import type { AnyQuestion, ConversationSource, Question, QuestionName, Questions } from '../../questions.ts';
import { SourceError } from '../../source-error.ts';
import { encodeQuestion } from './codec.ts';
import { readServeAnswer } from './serve-answer.ts';
import type { ServeResponse } from './serve-answer.ts';

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
    return readServeAnswer(this.location, question, await this.#read(url));
  }

  async close(): Promise<void> {}

  async #read(url: string): Promise<ServeResponse> {
    const signal = AbortSignal.timeout(this.#timeoutMs);
    try {
      const headers = { accept: 'application/json', ...this.#authorization };
      const response = await this.#get(url, { headers, redirect: 'error', signal });
      const contentType = response.headers.get('content-type') ?? undefined;
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
}

/** The reason behind "fetch failed", where the platform gives one. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Partial<Error>;
  return cause === undefined ? String(message ?? error) : reasonOf(cause);
}
