import { setTimeout as sleep } from 'node:timers/promises';

/** A fake speech-to-text model: longer audio takes longer. */
export const whisper = {
  async transcribe(audio: Uint8Array): Promise<string> {
    await sleep(100 + audio.length);
    return new TextDecoder().decode(audio);
  },
};
