import { setTimeout as sleep } from 'node:timers/promises';

/** A fake text-to-speech model: audio comes in chunks, the first after a moment. */
export async function* synthesize(text: string): AsyncGenerator<Uint8Array> {
  await sleep(60);
  for (const word of text.split(' ')) {
    await sleep(5);
    yield new TextEncoder().encode(word);
  }
}

/**
 * A fake loudspeaker: plays the chunks of `speech` as they come until the end, or until `signal` is aborted, which
 * rejects. Calls `whenStarted` when the user begins to hear something.
 */
export async function play(
  speech: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
  whenStarted: () => void,
): Promise<void> {
  let hasStarted = false;
  for await (const chunk of speech) {
    if (!hasStarted) whenStarted();
    hasStarted = true;
    await sleep(10 + chunk.length * 10, undefined, { signal });
  }
}
