import type { Conversation } from '../../model/conversation.ts';
import type { Answer } from '../../model/coverage.ts';
import type {
  CommonError,
  ConversationCount,
  ConversationSource,
  FoundConversation,
  StepDurations,
  StepStatistics,
} from '../../questions.ts';
import type { Question } from './question.ts';

/** What each question is answered with, by the question's name. */
export interface AnswerData {
  conversation: FoundConversation;
  conversations: Conversation[];
  'step-statistics': StepStatistics[];
  'conversation-counts': ConversationCount[];
  'common-errors': CommonError[];
  'step-durations': StepDurations;
}

/** Puts a question to `source`; rejects as its methods do. */
export function askSource(
  source: ConversationSource,
  question: Question,
): Promise<Answer<AnswerData[Question['name']]>> {
  switch (question.name) {
    case 'conversation':
      return source.conversation(question.conversationId);
    case 'conversations':
      return source.conversations(question);
    case 'step-statistics':
      return source.stepStatistics(question);
    case 'conversation-counts':
      return source.conversationCounts(question);
    case 'common-errors':
      return source.commonErrors(question);
    case 'step-durations':
      return source.stepDurations(question);
  }
}
