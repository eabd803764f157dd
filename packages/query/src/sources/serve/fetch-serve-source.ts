import { authorizationFor, quoteAnswer, quoteStatus, shownAddress, SourceError } from '../../errors.ts';
import type { Answer } from '../../model/coverage.ts';
import { isJsonObject } from '../../otlp/json-fields.ts';
import type { AnyQuestion, ConversationSource, Question, QuestionName, Questions } from '../../questions.ts';
import { decodeAnswer, encodeQuestion } from './codec.ts';
import { AnswerFormatError } from './wire-values.ts';

/** The part of `fetch` that {@link ServeSource} uses. */
export type Get = (
  url: string,
  options: { headers: Record<string, string>; redirect: 'error'; signal: AbortSignal },
) => Promise<GetResponse>;

/** The part of a `Response` that {@link ServeSource} uses. */
export interface GetResponse {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  text(): Promise<string>;
}

/** Options of {@link ServeSource}. */
export interface ServeSourceOptions {
  /** Timeout of one request, in milliseconds. @defaultValue `30_000` */
  timeoutMs?: number | undefined;
  /** Makes the requests; a function of your own can add a header, for example. @defaultValue the global `fetch` */
  get?: Get | undefined;
}

/** Asks a running `convotel serve` over HTTP. Runs in browsers too. */
export class ServeSource implements ConversationSource {
  readonly kind = 'serve';
  readonly location: string;
  readonly #timeoutMs: number;
  readonly #get: Get;
  readonly #authorization: { authorization?: string };

  /** @param address Such as `http://127.0.0.1:4318`; on a page served by `convotel serve`, `location.origin`. */
  constructor(address: string, options: ServeSourceOptions = {}) {
    this.location = shownAddress(address);
    // Browsers do not fetch URLs that contain a name and password.
    this.#authorization = URL.canParse(address) ? authorizationFor(new URL(address)) : {};
    this.#timeoutMs = options.timeoutMs ?? 30_000;
    // In browsers, `fetch` throws if it is called as a method of another object.
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

/** The innermost cause of "fetch failed". */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Partial<Error>;
  return cause === undefined ? String(message ?? error) : reasonOf(cause);
}

/** An HTTP response, of either HTTP client. */
export interface ServeResponse {
  status: number;
  contentType: string | undefined;
  text: string;
}

/** The health of a running `convotel serve`. */
export interface ServeHealth {
  /** `unwritable`: spans cannot be stored at present. `damaged`: a part of its store could not be read. */
  status: 'ok' | 'unwritable' | 'damaged';
  /** New with every start. */
  instanceId: string;
  /** Why spans cannot be stored. Like the following fields, only present for clients that may read. */
  problem?: string | undefined;
  storePath?: string | undefined;
  /** Damaged files that were moved aside, next to the store. */
  damagedFiles?: readonly string[] | undefined;
  /** Counters since its start, and its limits; `docs/operations.md` lists them. */
  counts: Readonly<Record<string, number>>;
}

/**
 * Decodes the answer to `question` from a response of the `convotel serve` at `location`.
 * @throws {@link SourceError} `UNREACHABLE` if the server cannot answer at present, `WRONG_ANSWER` for anything else.
 */
export function readServeAnswer<Name extends QuestionName>(
  location: string,
  question: Question<Name>,
  response: ServeResponse,
): Answer<Questions[Name]['answer']> {
  const text = jsonTextOf(location, response);
  try {
    return decodeAnswer(question, text);
  } catch (error) {
    if (!(error instanceof AnswerFormatError)) throw error;
    throw wrongAnswer(location, `did not send an answer to ${question.name}: ${error.message}`, error);
  }
}

/**
 * Decodes the health of the `convotel serve` at `location`.
 * @throws {@link SourceError} as {@link readServeAnswer}
 */
export function readServeHealth(location: string, response: ServeResponse): ServeHealth {
  const text = jsonTextOf(location, response);
  const health = parseObject(text);
  const { status, instanceId, problem, storePath, damagedFiles } = health ?? {};
  if (typeof instanceId !== 'string' || (status !== 'ok' && status !== 'unwritable' && status !== 'damaged')) {
    throw wrongAnswer(location, `did not report its health: ${quoteAnswer(text)}`);
  }
  const numbers = Object.entries(health!).filter((entry): entry is [string, number] => typeof entry[1] === 'number');
  return {
    status,
    instanceId,
    ...(typeof problem === 'string' && { problem }),
    ...(typeof storePath === 'string' && { storePath }),
    ...(Array.isArray(damagedFiles) && { damagedFiles: damagedFiles.map(String) }),
    counts: Object.fromEntries(numbers),
  };
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    // The caller reports what was received instead.
    return undefined;
  }
}

/** The text of a successful JSON response. */
function jsonTextOf(location: string, { status, contentType = 'no content type', text }: ServeResponse): string {
  if (status === 503) {
    throw new SourceError('UNREACHABLE', `${location} cannot answer at present: ${quoteAnswer(text)} Try again soon.`);
  }
  if (status === 401) {
    throw new SourceError(
      'WRONG_ANSWER',
      `${location} asks for a token, and was sent none that it knows (status 401). Set CONVOTEL_TOKEN to one from its token file, or write it into the address as the password.`,
    );
  }
  const refusal = status === 403 ? quoteStatus(text) : undefined;
  if (refusal !== undefined) {
    throw new SourceError('WRONG_ANSWER', `${location} refuses (status 403): ${refusal.quoted}.`);
  }
  if (status !== 200) throw wrongAnswer(location, `answered with status ${status}: ${quoteAnswer(text)}`);
  if (!contentType.startsWith('application/json')) {
    throw wrongAnswer(location, `answered with ${contentType}, not JSON`);
  }
  return text;
}

function wrongAnswer(location: string, what: string, cause?: unknown): SourceError {
  const message = `${location} ${what}. Is a \`convotel serve\` of this version running there?`;
  return new SourceError('WRONG_ANSWER', message, { cause });
}
