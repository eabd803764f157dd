import { Agent, request as httpRequest } from 'node:http';
import { type Encoding, prepareRequest } from './request-template.ts';

/** What a sender process is told, as its only argument in JSON. */
export interface SenderTask {
  url: string;
  encoding: Encoding;
  /** Told apart in the ids: at most 255. */
  senderId: number;
  /** New spans to send. */
  spanCount: number;
  /** Sends no faster than this. Absent: as fast as answers come. */
  spansPerSecond?: number;
}

/** What a sender process reports when it is done. */
export interface SenderResult {
  newSpans: number;
  copiedSpans: number;
}

const SPANS_PER_REQUEST = 512;
const TEMPLATES = 8;
const REQUESTS_IN_FLIGHT = TEMPLATES;
/** Each so many requests, one is sent a second time. */
const REQUESTS_PER_COPY = 50;

const task = JSON.parse(process.argv[2]!) as SenderTask;
const startMs = performance.now();
const agent = new Agent({ keepAlive: true, maxSockets: REQUESTS_IN_FLIGHT });
const startNano = BigInt(Date.now()) * 1_000_000n;
let requestsSent = 0;
const result: SenderResult = { newSpans: 0, copiedSpans: 0 };

await Promise.all(Array.from({ length: REQUESTS_IN_FLIGHT }, sendInTurn));
agent.destroy();
process.send!(result);
process.disconnect();

/** Sends one request after another from a template of its own, so that no body changes while it is on its way. */
async function sendInTurn(): Promise<void> {
  const template = prepareRequest(SPANS_PER_REQUEST, task.encoding);
  while (result.newSpans < task.spanCount) {
    const turn = requestsSent++;
    const dueMs = startMs + (result.newSpans / (task.spansPerSecond ?? Infinity)) * 1000;
    result.newSpans += template.spanCount;
    if (dueMs > performance.now()) await new Promise((resolve) => setTimeout(resolve, dueMs - performance.now()));
    const body = template.bodyWith((task.senderId << 24) + turn, startNano + BigInt(turn) * 1_000_000_000n);
    await post(body);
    if (turn % REQUESTS_PER_COPY !== 0) continue;
    result.copiedSpans += template.spanCount;
    await post(body);
  }
}

function post(body: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = {
      'content-type': task.encoding === 'json' ? 'application/json' : 'application/x-protobuf',
      'content-length': body.length,
    };
    const request = httpRequest(`${task.url}/v1/traces`, { method: 'POST', agent, headers }, (response) => {
      response.resume();
      response.on('end', () => {
        if (response.statusCode === 200) resolve();
        else reject(new Error(`answered ${response.statusCode}`));
      });
    });
    request.on('error', reject);
    request.end(body);
  });
}
