import { setTimeout as sleep } from 'node:timers/promises';
import { startTracing } from '@convotel/sdk';
import { exchange } from './assistant.ts';
import { LanguageModel } from './language-model.ts';
import { Speaker } from './speaker.ts';

const tracing = startTracing({ serviceName: 'voice-assistant' });
const model = new LanguageModel();
const speaker = new Speaker();

for (const spoken of ['what time is it', 'tell me a story about a robot', 'good night']) {
  console.log(`> ${spoken}`);
  // The user has heard enough of the story after a moment.
  const interrupts = spoken.includes('story');
  speaker.whenStarted = interrupts ? () => void sleep(50).then(() => speaker.interrupt()) : () => {};
  const { answer, wasInterrupted } = await exchange(model, speaker, 'caller-1', spoken);
  console.log(`  ${answer}${wasInterrupted ? ' (interrupted)' : ''}`);
}

const { deliveredSpans, undeliveredSpans } = await tracing.shutdown();
console.log(`${deliveredSpans + (await speaker.end())} spans delivered, ${undeliveredSpans} not`);
