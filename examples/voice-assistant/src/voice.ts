import { setTimeout as sleep } from 'node:timers/promises';

/** A fake text-to-speech model: audio comes in chunks, the first after a moment. */
export async function* synthesize(text: string): AsyncGenerator<Uint8Array> {
  await sleep(60);
  for (const word of text.split(' ')) {
    await sleep(5);
    yield new TextEncoder().encode(word);
  }
}

/** A fake loudspeaker: plays until the end, or until `signal` is aborted, which rejects. */
export async function play(speech: readonly Uint8Array[], signal: AbortSignal): Promise<void> {
  for (const chunk of speech) await sleep(10 + chunk.length * 10, undefined, { signal });
}
