// Compiled with `exactOptionalPropertyTypes`, never run: whatever may be left out may also be given as undefined.
import { startLocalBackend } from '@convotel/local';
import { startTracing } from '@convotel/sdk';
import { conversation, startConversation } from '@convotel/tracing';

const text = process.env['TEXT'];
const flag = text === undefined ? undefined : true;

startTracing({ serviceName: text, endpoint: text, captureContent: flag, metrics: flag, headers: undefined });
export const backend = startLocalBackend({ storePath: 'store.duckdb', host: text, retention: undefined });
export const talk = conversation({ conversationId: text, workflow: text, sessionId: text }, (c) => {
  c.recordStep('vad', { startTime: 0, endTime: 1, input: text, outcome: undefined });
  return c.step('gpt', { input: text, model: text, provider: text, attempt: undefined }, (s) => {
    s.usage({ inputTokens: undefined, outputTokens: undefined });
  });
});
startConversation({ startTime: undefined }).end({ outcome: undefined, endTime: undefined });
