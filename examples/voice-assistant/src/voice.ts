import { setTimeout as sleep } from 'node:timers/promises';

/** A fake text-to-speech model and the loudspeaker behind it. */
export const voice = {
  async synthesize(text: string): Promise<Uint8Array> {
    await sleep(120 + text.length);
    return new TextEncoder().encode(text);
  },

  async play(_speech: Uint8Array): Promise<void> {
    await sleep(80);
  },
};
