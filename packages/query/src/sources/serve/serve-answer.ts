import type { Answer } from '../../model/coverage.ts';
import type { Question, QuestionName, Questions } from '../../questions.ts';
import { isJsonObject } from '../../otlp/json-fields.ts';
import { quoteAnswer, SourceError } from '../../source-error.ts';
import { decodeAnswer } from './codec.ts';
import { AnswerFormatError } from './json-readers.ts';

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
