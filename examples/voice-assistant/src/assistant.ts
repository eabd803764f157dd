import { conversation } from '@convotel/tracing';
import type { Conversation } from '@convotel/tracing';
import { RateLimitError } from './language-model.ts';
import type { LanguageModel } from './language-model.ts';
import { microphone } from './microphone.ts';
import { voice } from './voice.ts';
import { whisper } from './whisper.ts';

const MAX_ATTEMPTS = 3;

/** One exchange: somebody asks, the assistant answers aloud. Returns the answer. */
export function exchange(model: LanguageModel, caller: string, spoken: string): Promise<string> {
  return conversation({ workflow: 'voice', sessionId: caller }, async (c) => {
    const audio = await c.step('request', () => microphone.capture(spoken));
    const heard = await c.step('stt', () => whisper.transcribe(audio));
    const answer = await think(c, model, heard);
    const speech = await c.step('tts', { input: answer }, () => voice.synthesize(answer));
    await c.step('response', () => voice.play(speech));
    return answer;
  });
}

/** Asks the model, again when it is busy; every attempt is a step of its own. */
async function think(c: Conversation, model: LanguageModel, question: string): Promise<string> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await c.step('gpt', { input: question, model: model.name, attempt }, async (step) => {
        const reply = await model.complete(question);
        step.usage(reply);
        return reply.text;
      });
    } catch (error) {
      if (!(error instanceof RateLimitError) || attempt === MAX_ATTEMPTS) throw error;
    }
  }
}
