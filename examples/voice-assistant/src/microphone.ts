import { setTimeout as sleep } from 'node:timers/promises';

/** A fake microphone: somebody speaks for a moment. */
export const microphone = {
  async capture(spoken: string): Promise<Uint8Array> {
    await sleep(60);
    return new TextEncoder().encode(spoken);
  },
};
