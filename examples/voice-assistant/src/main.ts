import { startTracing } from '@convotel/sdk';
import { exchange } from './assistant.ts';
import { LanguageModel } from './language-model.ts';

const tracing = startTracing({ serviceName: 'voice-assistant' });
const model = new LanguageModel();

for (const spoken of ['what time is it', 'tell me a story about a robot', 'good night']) {
  console.log(`> ${spoken}`);
  console.log(`  ${await exchange(model, 'caller-1', spoken)}`);
}

const { deliveredSpans, undeliveredSpans } = await tracing.shutdown();
console.log(`${deliveredSpans} spans delivered, ${undeliveredSpans} not`);
