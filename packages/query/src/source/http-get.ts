import { get as getPlain, type IncomingMessage } from 'node:http';
import { get as getSecure } from 'node:https';

/** What came back; the body is read by {@link readHttpBody}, or let go with `body.destroy()`. */
export interface HttpResponse {
  status: number;
  headers: IncomingMessage['headers'];
  body: IncomingMessage;
}

/** Far more than any answer needs; a server that sends without an end shall not fill the memory. */
const MAX_BODY_BYTES = 256 * 1024 ** 2;

/** How to ask. */
export interface HttpGetOptions {
  headers?: Readonly<Record<string, string>>;
  /** Ends the request, also while the body is read. */
  signal: AbortSignal;
}

/**
 * One GET over HTTP or HTTPS, redirects not followed. Rejects with the system's error.
 *
 * Node's `fetch` does the same, but loading it takes longer than everything else in a command that asks one question.
 */
export function httpGet(url: URL | string, { headers = {}, signal }: HttpGetOptions): Promise<HttpResponse> {
  const target = new URL(url);
  const get = target.protocol === 'https:' ? getSecure : getPlain;
  return new Promise((resolve, reject) => {
    get(target, { headers: { ...headers }, signal }, (body) => {
      resolve({ status: body.statusCode ?? 0, headers: body.headers, body });
    }).once('error', reject);
  });
}

/**
 * The body as text. Rejects with the system's error when it breaks off, and with what `tooLarge` makes as soon as more
 * than `maxBytes` have come; the rest is not fetched.
 */
export async function readHttpBody(
  { body }: HttpResponse,
  maxBytes: number = MAX_BODY_BYTES,
  tooLarge: () => Error = () => new RangeError(`it is longer than ${maxBytes} bytes`),
): Promise<string> {
  const chunks: Buffer[] = [];
  let byteCount = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    byteCount += chunk.length;
    // Leaving the loop destroys the stream, and its connection with it.
    if (byteCount > maxBytes) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, byteCount).toString('utf8');
}
