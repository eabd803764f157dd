import type { SpanRecord } from '@convotel/query';
import { encodeOtlpJson } from './encode-otlp-json.ts';

/** A multiple of nothing else in the tests, so that conversations and copies fall into different requests. */
const SPANS_PER_REQUEST = 97;

/** `spans` in requests of OTLP/JSON, in their order. */
export function encodeRequests(spans: readonly SpanRecord[]): string[] {
  const requests: string[] = [];
  for (let index = 0; index < spans.length; index += SPANS_PER_REQUEST) {
    requests.push(encodeOtlpJson(spans.slice(index, index + SPANS_PER_REQUEST)));
  }
  return requests;
}

/** Posts `spans` to a receiver one request after the other, so that the order of reading is theirs. */
export async function deliverSpans(url: string, spans: readonly SpanRecord[]): Promise<void> {
  for (const body of encodeRequests(spans)) {
    const response = await fetch(new URL('/v1/traces', url), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    });
    const answer = await response.text();
    if (response.status !== 200) throw new Error(`the back end answered ${response.status}: ${answer}`);
  }
}
