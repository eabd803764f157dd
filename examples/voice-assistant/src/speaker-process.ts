import { startTracing } from '@convotel/sdk';
import { joinConversation } from '@convotel/tracing';
import type { Carrier } from '@convotel/tracing';
import type { FromSpeaker, ToSpeaker } from './speaker.ts';
import { play, synthesize } from './voice.ts';

const tracing = startTracing({ serviceName: 'voice-assistant-speaker' });
let speaking = new AbortController();

/** Speaks `text` as a part of the conversation that `carrier` hands over; false when the user interrupted it. */
async function speak(text: string, carrier: Carrier): Promise<boolean> {
  speaking = new AbortController();
  const { signal } = speaking;
  try {
    await joinConversation(carrier, { signal }, async (c) => {
      // Playback does not wait for the whole of the speech: the two steps are under way at the same time.
      const speech = c.step('tts', { input: text }, () => synthesize(text));
      await c.step('response', async (step) => {
        await play(speech, step.signal, () => {
          step.firstOutput();
          send({ started: true });
        });
      });
    });
    return true;
  } catch (error) {
    if (!signal.aborted) throw error;
    return false;
  }
}

function send(message: FromSpeaker): void {
  process.send?.(message);
}

async function hear(message: ToSpeaker): Promise<void> {
  if ('say' in message) {
    send({ wasInterrupted: !(await speak(message.say, message.carrier)) });
  } else if ('stop' in message) {
    speaking.abort(message.stop);
  } else {
    const { deliveredSpans } = await tracing.shutdown();
    send({ deliveredSpans });
    process.disconnect();
  }
}

process.on('message', (message: ToSpeaker) => void hear(message));
