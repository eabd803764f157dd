import type { Answer } from '../../model/coverage.ts';
import type { Question, QuestionName, Questions } from '../../questions.ts';
import { quoteAnswer, SourceError } from '../../source-error.ts';
import { decodeAnswer } from './codec.ts';
import { AnswerFormatError } from './json-readers.ts';

/** What came back over HTTP, however it was asked for. */
export interface ServeResponse {
  status: number;
  contentType: string | undefined;
  text: string;
}

/**
 * The answer to `question` in what `convotel serve` at `location` sent.
 * @throws {@link SourceError} `UNREACHABLE` when it cannot answer at present, `WRONG_ANSWER` for anything else.
 */
export function readServeAnswer<Name extends QuestionName>(
  location: string,
  question: Question<Name>,
  { status, contentType = 'no content type', text }: ServeResponse,
): Answer<Questions[Name]['answer']> {
  if (status === 503) {
    throw new SourceError('UNREACHABLE', `${location} cannot answer at present: ${quoteAnswer(text)} Try again soon.`);
  }
  if (status !== 200) throw wrongAnswer(location, `answered with status ${status}: ${quoteAnswer(text)}`);
  if (!contentType.startsWith('application/json')) {
    throw wrongAnswer(location, `answered with ${contentType}, not JSON`);
  }
  try {
    return decodeAnswer(question, text);
  } catch (error) {
    if (!(error instanceof AnswerFormatError)) throw error;
    throw wrongAnswer(location, `did not send an answer to ${question.name}: ${error.message}`, error);
  }
}

function wrongAnswer(location: string, what: string, cause?: unknown): SourceError {
  const message = `${location} ${what}. Is a \`convotel serve\` of this version running there?`;
  return new SourceError('WRONG_ANSWER', message, { cause });
}
