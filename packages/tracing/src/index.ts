// Conversations
export { conversation, joinConversation, startConversation } from './conversation/conversation.ts';
export type {
  Conversation,
  ConversationHandle,
  ConversationOptions,
  EndConversationOptions,
  JoinConversationOptions,
  StartConversationOptions,
} from './conversation/conversation-options.ts';

// Steps of the active conversation
export { startStep, step } from './step/step.ts';
export { wrapStep } from './step/step.ts';
export type { RecognizeOptions } from './results/recognized/client.ts';
export type { ResultOptions } from './results/result-observer.ts';
export type { Carrier, ModelUsage, RecordedStep, Step, StepHandle, StepOptions } from './step/step-options.ts';

// Outcomes
export type { ClassifiedStep, ClassifyError, Outcome } from '@convotel/conventions';
