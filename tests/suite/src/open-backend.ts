import { startLocalBackend } from '@convotel/local';
import type { LocalBackend } from '@convotel/local';
import type { SpanRecord } from '@convotel/query';
import { deliverSpans } from './deliver-spans.ts';

/** Older than any conversation of the tests, which reach back to 1990. */
const MAX_AGE_DAYS = 100_000;

/** A back end with a store at `storePath` that has been sent `spans` over HTTP. */
export async function openBackend(storePath: string, spans: readonly SpanRecord[]): Promise<LocalBackend> {
  const backend = await startLocalBackend({ port: 0, storePath, retention: { maxAgeDays: MAX_AGE_DAYS } });
  try {
    await deliverSpans(backend.url, spans);
    return backend;
  } catch (error) {
    await backend.stop();
    throw error;
  }
}
