import { setTimeout as sleep } from 'node:timers/promises';

/** A fake microphone: somebody speaks for a moment. */
export async function capture(spoken: string): Promise<Uint8Array> {
  await sleep(60);
  return new TextEncoder().encode(spoken);
}

/** A fake speech-to-text model: longer audio takes longer. */
export async function transcribe(audio: Uint8Array): Promise<string> {
  await sleep(100 + audio.length);
  return new TextDecoder().decode(audio);
}
