import { conversation } from '@convotel/tracing';
import type { Conversation } from '@convotel/tracing';
import { capture, transcribe } from './ears.ts';
import { RateLimitError } from './language-model.ts';
import type { LanguageModel } from './language-model.ts';
import type { Speaker } from './speaker.ts';

const MAX_ATTEMPTS = 3;

/**
 * One exchange: somebody asks, the assistant answers aloud. The answer is spoken by another process, which is handed the
 * conversation and ends it. Returns what was answered, and whether the user let the assistant finish.
 */
export async function exchange(
  model: LanguageModel,
  speaker: Speaker,
  caller: string,
  spoken: string,
): Promise<{ answer: string; wasInterrupted: boolean }> {
  return conversation({ workflow: 'voice', sessionId: caller }, async (c) => {
    const audio = await c.step('request', () => capture(spoken));
    const heard = await c.step('stt', () => transcribe(audio));
    const answer = await think(c, model, heard);
    return { answer, wasInterrupted: await speaker.speak(answer, c.handOff()) };
  });
}

/** Asks the model, again when it is busy; every attempt is a step of its own. */
async function think(c: Conversation, model: LanguageModel, question: string): Promise<string> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const words = c.step('gpt', { input: question, model: model.name, attempt }, (step) =>
        model.stream(question, (usage) => step.usage(usage)),
      );
      let answer = '';
      for await (const word of words) answer += word;
      return answer.trim();
    } catch (error) {
      if (!(error instanceof RateLimitError) || attempt === MAX_ATTEMPTS) throw error;
    }
  }
}
