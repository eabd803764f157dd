import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openDuckDbSource } from '@convotel/local';
import { decodeOtlpJson } from '@convotel/query/engine';
import { type SeededRandom, seedOfRun, seededRandom } from '@convotel/suite';
import { Database, sqlFile } from '../../src/store/database.ts';
import { migrate, MIGRATIONS } from '../../src/store/migrations.ts';
import { SpanStore } from '../../src/store/span-store.ts';

const OPTIONS = { memoryLimitBytes: 128 * 2 ** 20 };
const VERSION = 'conversation.schema.version';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convotel-classified-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

const keyValue = (key: string, value: unknown): object => ({ key, value });

/** A span that has some of what makes a step or a root, in forms that count and in forms that do not. */
function oddSpan({ chance, pick, hex }: SeededRandom): object {
  const anyValue = (): unknown =>
    pick<unknown>([{ stringValue: '1' }, { stringValue: '' }, { intValue: '2' }, { doubleValue: 0.5 }, {}, null]);
  const hidden = { kvlistValue: { values: [keyValue(VERSION, { stringValue: '1' })] } };
  const attributes = [
    ...(chance(0.7) ? [keyValue(VERSION, anyValue())] : []),
    ...(chance(0.8) ? [keyValue('conversation.id', pick<unknown>([{ stringValue: 'c' }, anyValue()]))] : []),
    ...(chance(0.2) ? [keyValue('conversation.step.name', pick<unknown>([{ stringValue: 'gpt' }, anyValue()]))] : []),
    ...(chance(0.3) ? [keyValue('note', { stringValue: `"key":"${VERSION}"` })] : []),
    ...(chance(0.3) ? [keyValue('nested', hidden)] : []),
    ...(chance(0.3) ? [keyValue(`own.${VERSION}`, { stringValue: '\u0000' })] : []),
  ];
  return {
    traceId: hex(32),
    spanId: hex(16),
    name: pick(['conversation', 'conversation', 'conversation', 'Conversation', 'gpt', '']),
    parentSpanId: pick([undefined, undefined, '', '0'.repeat(16), hex(16)]),
    startTimeUnixNano: '1760000000000000000',
    endTimeUnixNano: '1760000000000000000',
    attributes: pick([attributes, attributes.toReversed()]),
    ...(chance(0.3) && { events: [{ name: 'event', attributes: [keyValue(VERSION, { stringValue: '1' })] }] }),
  };
}

test('the rules in SQL and those of the reader agree on generated spans', async () => {
  const seed = seedOfRun();
  process.stderr.write(`classified spans: CONVOTEL_TEST_SEED=${seed}\n`);
  const random = seededRandom(seed);
  const spans = Array.from({ length: 3_000 }, () => oddSpan(random));
  const records = decodeOtlpJson({ resourceSpans: [{ scopeSpans: [{ spans }] }] });
  const counts = ['root', 'step', 'other'].map((role) => records.filter((record) => record.role === role).length);
  for (const count of counts) expect(count).toBeGreaterThan(50);

  const store = await SpanStore.open(join(folder, 'classified.duckdb'), OPTIONS);
  await store.append(records);
  const differing = await store.read(async (connection) => {
    const reader = await connection.runAndReadAll(
      `SELECT spans.name, spans.rest, spans.role::VARCHAR, classified.role::VARCHAR
       FROM spans JOIN (${sqlFile('classified-spans')}) AS classified ON classified.row_id = spans.rowid
       WHERE classified.role IS DISTINCT FROM spans.role`,
    );
    return reader.getRows();
  });
  await store.close();
  expect(differing).toEqual([]);
});

test('a store of the first version is judged anew, and what it had no fields for gets them', async () => {
  const path = join(folder, 'first-version.duckdb');
  const attributes = [
    keyValue(VERSION, { stringValue: '1' }),
    keyValue('gen_ai.request.model', { stringValue: 'small' }),
    keyValue('own', { boolValue: true }),
  ];
  const insert = (id: number, step: number | null, rest: object): string =>
    `INSERT INTO spans (trace_id, span_id, start_ns, duration_ns, role, outcome, is_recovered, depth, step_id, name,
       conversation_id, rest)
     VALUES (${id}, ${id}, 5, 5, '${step === 1 ? 'step' : 'root'}', 'completed', false, 0, ${step}, 'conversation',
       'c${id}', '${JSON.stringify(rest)}')`;
  const database = await Database.open(path, { isReadOnly: false, ...OPTIONS });
  await database.lend(async (connection) => {
    await migrate(connection, path, MIGRATIONS.slice(0, 1));
    await connection.run("INSERT INTO steps VALUES (1, 'gpt')");
    await connection.run(insert(1, 0, { attributes }));
    await connection.run(insert(2, 0, { attributes: [keyValue('pipecat', { intValue: '1' })] }));
    await connection.run(insert(3, 1, { attributes }));
    await migrate(connection, path);
  });
  await database.close();

  const source = await openDuckDbSource(path);
  const { data } = await source.ask({ name: 'conversations', order: 'longest', limit: 9 });
  expect(data.map(({ conversationId, outcome }) => [conversationId, outcome])).toEqual([
    ['c1', 'completed'],
    ['c3', 'open'],
  ]);
  const one = await source.ask({ name: 'conversation', conversationId: '0'.repeat(31) + '3' });
  expect(one.data.spans).toMatchObject([
    { step: 'gpt', model: 'small', rest: { attributes: [attributes[0], attributes[2]] } },
  ]);
  const other = await source.ask({ name: 'conversation', conversationId: 'c2' });
  expect(other.data.spans).toEqual([]);
  await source.close();
});
