import type { Answer, Coverage, WarningCode } from '../../model/coverage.ts';
import type { AnyQuestion, QuestionName, Questions } from '../../questions.ts';
import {
  AnswerFormatError,
  encodeValue,
  QuestionFormatError,
  QuestionParameters,
  readArrayOf,
  readBoolean,
  readNumber,
  readObject,
  readOneOf,
  readText,
} from './wire-values.ts';
import type { ParameterForm, Reader } from './wire-values.ts';
import { QUESTION_DESCRIPTIONS, QUESTION_NAMES } from './question-descriptions.ts';

/** URL path of questions on `convotel serve`, before the question's name. */
export const QUESTION_PATH_PREFIX = '/api/v1/';

type Fields = Readonly<Record<string, ParameterForm<unknown>>>;

/**
 * Path and query of a question, readable in a browser: `/api/v1/step-statistics?since=…&until=…&quantile=0.5`.
 * Instants are RFC 3339 in UTC with 9 decimals.
 */
export function encodeQuestion(question: AnyQuestion): string {
  const query = new URLSearchParams();
  const values = question as unknown as Readonly<Record<string, unknown>>;
  for (const [field, form] of Object.entries(QUESTION_DESCRIPTIONS[question.name].asked as Fields)) {
    for (const [name, text] of form.write(values[field])) query.append(name, text);
  }
  // A colon need not be escaped in a query (RFC 3986, section 3.4), and times are more readable without.
  return `${QUESTION_PATH_PREFIX}${question.name}?${query.toString().replaceAll('%3A', ':')}`;
}

/**
 * Decodes the `url` that `encodeQuestion` made. Anything unknown is an error.
 *
 * @throws {@link QuestionFormatError} for an unknown question or parameter, for a missing, repeated or malformed
 *   parameter, and for a question that asks for too much.
 */
export function decodeQuestion(url: URL): AnyQuestion {
  if (!url.pathname.startsWith(QUESTION_PATH_PREFIX)) {
    throw new QuestionFormatError(`questions start with ${QUESTION_PATH_PREFIX}, not ${url.pathname}`);
  }
  const text = url.pathname.slice(QUESTION_PATH_PREFIX.length);
  const name = QUESTION_NAMES.find((candidate) => candidate === text);
  if (name === undefined) throw new QuestionFormatError(`there is no question "${text}"`);
  const parameters = new QuestionParameters(url.searchParams);
  const question: Record<string, unknown> = { name };
  for (const [field, form] of Object.entries(QUESTION_DESCRIPTIONS[name].asked as Fields)) {
    const value = form.read(parameters);
    if (value !== undefined) question[field] = value;
  }
  parameters.refuseUnread();
  return question as unknown as AnyQuestion;
}

/**
 * An answer as JSON: 64-bit integers as decimal strings, NaN as null, the infinities as strings, typed arrays as
 * arrays. `decodeAnswer` restores the same answer.
 */
export function encodeAnswer(question: AnyQuestion, answer: Answer<unknown>): string {
  return [...encodedParts(question, answer)].join('');
}

/** {@link encodeAnswer} in parts of a few kilobytes, so that the caller can do other work in between. */
export function* encodedParts(question: AnyQuestion, { data, ...rest }: Answer<unknown>): Iterable<string> {
  yield `{"question":${JSON.stringify(question.name)},"data":`;
  const { parts }: { parts?: (data: never) => Iterable<string> } = QUESTION_DESCRIPTIONS[question.name];
  if (parts !== undefined) yield* parts(data as never);
  else if (Array.isArray(data)) yield* listParts(data);
  else if (typeof data === 'object' && data !== null) yield* objectParts(data);
  else yield encodeValue(data);
  // The rest continues the object that was opened above.
  yield `,${encodeValue(rest).slice(1)}`;
}

function* objectParts(fields: object): Iterable<string> {
  let before = '{';
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    yield `${before}${JSON.stringify(name)}:`;
    if (Array.isArray(value)) yield* listParts(value);
    else yield encodeValue(value);
    before = ',';
  }
  yield before === '{' ? '{}' : '}';
}

/** As many items make one part; a conversation in numbers has about a kilobyte. */
const ITEMS_PER_PART = 64;

function* listParts(items: readonly unknown[]): Iterable<string> {
  yield '[';
  for (let from = 0; from < items.length; from += ITEMS_PER_PART) {
    const part = encodeValue(items.slice(from, from + ITEMS_PER_PART)).slice(1, -1);
    yield from === 0 ? part : `,${part}`;
  }
  yield ']';
}

/**
 * Decodes the `text` that `encodeAnswer` made.
 *
 * @throws {@link AnswerFormatError} if it is not valid JSON, not a valid answer, or the answer to another question.
 */
export function decodeAnswer<Name extends QuestionName>(
  question: { name: Name },
  text: string,
): Answer<Questions[Name]['answer']> {
  const readData: Reader<Questions[Name]['answer']> = QUESTION_DESCRIPTIONS[question.name].answer;
  const read = readObject({ question: readOneOf([question.name]), data: readData, coverage: readCoverage }, {});
  const { data, coverage } = read(parseJson(text), 'answer');
  return { data, coverage };
}

const readCoverage: Reader<Coverage> = readObject(
  {
    conversations: readNumber,
    spans: readNumber,
    complete: readBoolean,
    // A newer server may know more codes.
    warnings: readArrayOf(readObject({ code: readText as Reader<WarningCode>, text: readText }, {})),
  },
  {},
);

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new AnswerFormatError(`the answer is not valid JSON: ${(error as Error).message}`, { cause: error });
  }
}
