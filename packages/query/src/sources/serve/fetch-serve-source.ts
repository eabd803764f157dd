import { authorizationFor, quoteAnswer, shownAddress, SourceError } from '../../errors.ts';
import type { Answer } from '../../model/coverage.ts';
import { isJsonObject } from '../../otlp/json-fields.ts';
import type { AnyQuestion, ConversationSource, Question, QuestionName, Questions } from '../../questions.ts';
import { decodeAnswer, encodeQuestion } from './codec.ts';
import { AnswerFormatError } from './wire-values.ts';

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

/** What came back over HTTP, however it was asked for. */
export interface ServeResponse {
  status: number;
  contentType: string | undefined;
  text: string;
}

/** What a running `convotel serve` says of itself. */
export interface ServeHealth {
  /** `unwritable`: spans cannot be kept at present. `damaged`: a part of its store could not be read. */
  status: 'ok' | 'unwritable' | 'damaged';
  /** New with every start. */
  instanceId: string;
  /** Why spans cannot be kept. Like everything below, only for senders that may read. */
  problem?: string | undefined;
  storePath?: string | undefined;
  /** Damaged files that were put aside beside the store. */
  damagedFiles?: readonly string[] | undefined;
  /** What it has done since it started, and its limits: `docs/operations.md` names them. */
  counts: Readonly<Record<string, number>>;
}

/**
 * The answer to `question` in what `convotel serve` at `location` sent.
 * @throws {@link SourceError} `UNREACHABLE` when it cannot answer at present, `WRONG_ANSWER` for anything else.
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
 * What `convotel serve` at `location` says of itself.
 * @throws {@link SourceError} as {@link readServeAnswer}
 */
export function readServeHealth(location: string, response: ServeResponse): ServeHealth {
  const text = jsonTextOf(location, response);
  const health = parseObject(text);
  const { status, instanceId, problem, storePath, damagedFiles } = health ?? {};
  if (typeof instanceId !== 'string' || (status !== 'ok' && status !== 'unwritable' && status !== 'damaged')) {
    throw wrongAnswer(location, `does not say how it is: ${quoteAnswer(text)}`);
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
    // The caller says what came instead.
    return undefined;
  }
}

/** The text of an answer that is JSON. */
function jsonTextOf(location: string, { status, contentType = 'no content type', text }: ServeResponse): string {
  if (status === 503) {
    throw new SourceError('UNREACHABLE', `${location} cannot answer at present: ${quoteAnswer(text)} Try again soon.`);
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
