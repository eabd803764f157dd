import type {
  CommonErrorsQuestion,
  ConversationCountsQuestion,
  ConversationsQuestion,
  StepDurationsQuestion,
  StepStatisticsQuestion,
} from '../../questions.ts';

/** Where the six questions live on a running `convotel serve`; the question's name follows. */
export const QUESTION_PATH_PREFIX = '/api/v1/';

/** Most rows that one question may ask for over HTTP. */
export const MAX_QUESTION_LIMIT = 10_000;

/** Most ranks that one question may ask for over HTTP. */
export const MAX_QUESTION_QUANTILES = 100;

/** One of the six questions of a `ConversationSource`, under its name in URLs. */
export type Question =
  | { name: 'conversation'; conversationId: string }
  | ({ name: 'conversations' } & ConversationsQuestion)
  | ({ name: 'step-statistics' } & StepStatisticsQuestion)
  | ({ name: 'conversation-counts' } & ConversationCountsQuestion)
  | ({ name: 'common-errors' } & CommonErrorsQuestion)
  | ({ name: 'step-durations' } & StepDurationsQuestion);

/** A URL that is none of the six questions, or asks for too much; the message gives the reason. */
export class QuestionFormatError extends Error {
  override readonly name = 'QuestionFormatError';
}
