import { setTimeout as sleep } from 'node:timers/promises';
import { startTracing } from '@convotel/sdk';
import { conversation } from '@convotel/tracing';

/** What the program is started with, as JSON in its only argument. */
export interface LiveProgramOptions {
  endpoint: string;
  serviceName: string;
  /** Ids of the conversations that it has, one after the other. */
  conversationIds: string[];
  captureContent: boolean;
  /** How long the model thinks, in milliseconds. */
  thinkMs: number;
  /** Whether it writes the texts under further names in which content may stand, past the helper's own switch. */
  writesContentElsewhere: boolean;
}

/** A program with conversations that happen while they are traced. What was said is `heard <id>`, answered `answer to <id>`. */
const options = JSON.parse(process.argv[2]!) as LiveProgramOptions;
const { endpoint, serviceName, conversationIds, captureContent, thinkMs } = options;
const tracing = startTracing({ serviceName, endpoint, captureContent });
for (const conversationId of conversationIds) {
  const heard = `heard ${conversationId}`;
  await conversation({ conversationId, workflow: 'voice' }, async (c) => {
    await c.step('stt', async () => heard);
    await c.step('gpt', { input: heard, model: 'gpt-5' }, async (step) => {
      step.firstOutput();
      step.timing('queue_wait', { seconds: 0.08 });
      if (options.writesContentElsewhere) {
        step.set({
          'app.pii.note': heard,
          'pii.caller': heard,
          'gen_ai.input.messages': JSON.stringify([{ role: 'user', content: heard }]),
          'gen_ai.output.messages': JSON.stringify([{ role: 'assistant', content: `answer to ${conversationId}` }]),
          'gen_ai.system_instructions': `answer whoever ${heard}`,
        });
      }
      await sleep(thinkMs);
      return `answer to ${conversationId}`;
    });
  });
}
console.log(JSON.stringify(await tracing.shutdown({ deadlineMs: 30_000 })));
