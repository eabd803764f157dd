import { codedError } from '@convotel/conventions';

/** Where the six questions live on a running `convotel serve`; the question's name follows. */
export const QUESTION_PATH_PREFIX = '/api/v1/';

/** Most rows that one question may ask for over HTTP. */
export const MAX_QUESTION_LIMIT = 10_000;

/** Most ranks that one question may ask for over HTTP. */
export const MAX_QUESTION_QUANTILES = 100;

/** A URL that is not one of the questions, or asks for too much; the message gives the reason. */
export class QuestionFormatError extends codedError('QuestionFormatError') {
  constructor(message: string, options?: ErrorOptions) {
    super('QUESTION_MALFORMED', message, options);
  }
}
