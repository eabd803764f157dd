// Compiled, never run: a wrapped function has the type of the function, all overloads and type parameters included.
import { wrapStep } from '@convotel/tracing';

function transcribe(file: string): Promise<string>;
function transcribe(samples: Uint8Array, rateHertz: number): Promise<string>;
async function transcribe(speech: string | Uint8Array, rateHertz = 16_000): Promise<string> {
  return `${speech.length} at ${rateHertz}`;
}
const traced = wrapStep('stt', { model: 'whisper' }, transcribe);
export const ofFile: Promise<string> = traced('hello.wav');
export const ofSamples: Promise<string> = traced(new Uint8Array(2), 8000);
// @ts-expect-error Samples need their rate.
void traced(new Uint8Array(2));

const first = wrapStep('tool', <Item>(items: readonly Item[]): Item | undefined => items[0]);
export const length: number | undefined = first(['reply'])?.length;
