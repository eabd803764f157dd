export { conversation } from './conversation/conversation.ts';
export type {
  Conversation,
  ConversationHandle,
  ConversationOptions,
  EndConversationOptions,
  StartConversationOptions,
} from './conversation/conversation-options.ts';
export { startConversation } from './conversation/start-conversation.ts';
export type { RecognizeOptions, ResultOptions } from './results/result-observer.ts';
export type { RecordedStep, Step, StepOptions, TokenUsage } from './step/step-options.ts';
export { step } from './step/step.ts';
export { wrapStep } from './step/wrap-step.ts';
