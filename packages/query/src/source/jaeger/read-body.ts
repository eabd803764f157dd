import { AnswerTooLarge } from './jaeger-refusal.ts';

/**
 * The text of an answer.
 * @throws {@link AnswerTooLarge} as soon as more than `maxBytes` have come; the rest is not fetched.
 */
export async function readBody(response: Response, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let byteCount = 0;
  for await (const chunk of response.body ?? []) {
    byteCount += chunk.byteLength;
    // Leaving the loop cancels the body.
    if (byteCount > maxBytes) throw new AnswerTooLarge(`more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, byteCount).toString('utf8');
}
