import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startLocalBackend, type LocalBackend } from '@convotel/local';
import { jsonRequest, jsonStep, send, text } from './sending.ts';

const ROUNDS = 400;
const seed = Number(process.env['CONVOTEL_TEST_SEED'] ?? Math.floor(Math.random() * 1_000_000));

/** Mulberry32 (public domain, T. Ettinger): a small generator with a seed. */
function seededRandom(state: number): (below: number) => number {
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), state | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return ((value ^ (value >>> 14)) >>> 0) % below;
  };
}

/** Pieces that parsers stumble over. */
const PIECES = [
  'null',
  '[]',
  '{}',
  '-1',
  '1e999',
  '"\\ud800"',
  '"',
  '\\',
  '\u0000',
  '[[[[',
  '}}',
  '18446744073709551616',
];

/** One to eight changes: a byte turned, a piece put in, a stretch taken out or doubled. */
function mutate(body: Buffer, random: (below: number) => number): Buffer {
  let mutant = Buffer.from(body);
  for (let change = random(8); change >= 0; change--) {
    const place = random(mutant.length + 1);
    const length = random(20);
    const before = mutant.subarray(0, place);
    const rest = mutant.subarray(place);
    const kind = random(4);
    if (kind === 0 && place < mutant.length) mutant[place]! ^= 1 << random(8);
    else if (kind === 1) mutant = Buffer.concat([before, Buffer.from(PIECES[random(PIECES.length)]!), rest]);
    else if (kind === 2) mutant = Buffer.concat([before, rest.subarray(length)]);
    else mutant = Buffer.concat([before, rest.subarray(0, length), rest]);
  }
  return mutant;
}

let folder: string;
let backend: LocalBackend;
const notices: string[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convotel-fuzz-'));
  backend = await startLocalBackend({
    storePath: join(folder, 'fuzzed.duckdb'),
    port: 0,
    onNotice: (notice) => notices.push(notice),
  });
});
afterAll(async () => {
  await backend.stop();
  await rm(folder, { recursive: true });
});

test(`${ROUNDS} mutated bodies in each form are taken or refused, never failed on, CONVOTEL_TEST_SEED=${seed}`, async () => {
  const random = seededRandom(seed);
  const step = jsonStep('gpt', {
    attributes: [
      text('conversation.step.name', 'gpt'),
      text('conversation.outcome', 'failed'),
      { key: 'conversation.step.timing.wait', value: { doubleValue: 0.5 } },
      { key: 'list', value: { arrayValue: { values: [{ intValue: '5' }, { boolValue: true }] } } },
    ],
    status: { code: 2, message: 'no' },
    events: [{ timeUnixNano: '1', name: 'event' }],
  });
  const json = Buffer.from(jsonRequest(step));
  const forms: [string, Record<string, string>, Buffer][] = [
    ['JSON', { 'content-type': 'application/json' }, json],
    ['protobuf', { 'content-type': 'application/x-protobuf' }, PROTOBUF],
    ['gzip', { 'content-type': 'application/json', 'content-encoding': 'gzip' }, gzipSync(json)],
  ];
  for (const [form, headers, body] of forms) {
    const seen = new Set<number>();
    for (let round = 0; round < ROUNDS; round++) {
      const mutant = mutate(body, random);
      const { status } = await send(`${backend.url}/v1/traces`, { headers, body: mutant });
      if (status !== 200 && status !== 400) throw new Error(`${form}: ${status} for ${mutant.toString('base64')}`);
      seen.add(status);
    }
    // Both kinds were among them, or the mutations prove little.
    expect([form, seen.has(400), seen.has(200) || form === 'gzip']).toEqual([form, true, true]);
    expect((await send(`${backend.url}/v1/traces`, { headers, body })).status).toBe(200);
  }
  expect(notices).toEqual([]);
});

/** A request with one resource, scope and span, by hand (field numbers of trace.proto). */
const PROTOBUF = (() => {
  const field = (number: number, content: Uint8Array | string): Buffer =>
    Buffer.concat([Buffer.from([(number << 3) | 2, Buffer.byteLength(content)]), Buffer.from(content)]);
  const attribute = (key: string, value: string): Buffer => Buffer.concat([field(1, key), field(2, field(1, value))]);
  const span = Buffer.concat([
    field(1, Buffer.alloc(16, 7)),
    field(2, Buffer.alloc(8, 9)),
    field(5, 'gpt'),
    Buffer.from([0x39, 0, 0, 0, 1, 0, 0, 0, 0]),
    Buffer.from([0x41, 0, 0, 0, 2, 0, 0, 0, 0]),
    field(9, attribute('conversation.step.name', 'gpt')),
  ]);
  return field(1, field(2, field(2, span)));
})();
