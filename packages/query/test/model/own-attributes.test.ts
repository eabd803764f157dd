import { expect, test } from '@jest/globals';
import { decodeOtlpJson, ownAttributesOf } from '@convotel/query/engine';

test('a program has the attributes that no convention names, in plain values', () => {
  const attribute = (key: string, value: unknown): object => ({ key, value });
  const [span] = decodeOtlpJson({
    resourceSpans: [
      {
        scopeSpans: [
          {
            spans: [
              {
                traceId: 'a'.repeat(32),
                spanId: 'b'.repeat(16),
                name: 'gpt',
                attributes: [
                  attribute('conversation.step.name', { stringValue: 'gpt' }),
                  attribute('conversation.unheard.of', { stringValue: 'x' }),
                  attribute('gen_ai.operation.name', { stringValue: 'chat' }),
                  attribute('session.id', { stringValue: 'caller' }),
                  attribute('error.type', { intValue: '7' }),
                  attribute('app.user', { stringValue: 'anonymous' }),
                  attribute('app.tries', { intValue: '3' }),
                  attribute('app.large', { intValue: '9007199254740993' }),
                  attribute('app.share', { doubleValue: 0.5 }),
                  attribute('app.is_new', { boolValue: false }),
                  attribute('app.list', { arrayValue: { values: [{ intValue: 1 }, { stringValue: 'b' }, {}] } }),
                  attribute('app.map', { kvlistValue: { values: [attribute('__proto__', { boolValue: true })] } }),
                  attribute('app.bytes', { bytesValue: 'AAE=' }),
                  attribute('app.empty', { arrayValue: {} }),
                  attribute('app.nothing', null),
                  attribute('__proto__', { stringValue: 'odd' }),
                ],
              },
            ],
          },
        ],
      },
    ],
  });
  expect(Object.entries(ownAttributesOf(span!))).toEqual([
    ['app.user', 'anonymous'],
    ['app.tries', 3],
    ['app.large', '9007199254740993'],
    ['app.share', 0.5],
    ['app.is_new', false],
    ['app.list', [1, 'b', null]],
    ['app.map', JSON.parse('{"__proto__":true}')],
    ['app.bytes', 'AAE='],
    ['app.empty', []],
    ['app.nothing', null],
    ['__proto__', 'odd'],
  ]);
});

test('what is nested very deep is left out', () => {
  let value: object = { stringValue: 'x' };
  for (let depth = 0; depth < 20_000; depth++) value = { arrayValue: { values: [value] } };
  const attributes = [{ key: 'app.deep', value }];
  const span = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), name: 'gpt', attributes };
  const [record] = decodeOtlpJson({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] });
  const shown = JSON.stringify(ownAttributesOf(record!));
  expect(shown).toMatch(/^\{"app\.deep":\[+null\]+\}$/);
  expect(shown.length).toBeLessThan(200);
});

test('a value that is nested very deep is refused with a reason', () => {
  let value: unknown[] = [];
  for (let depth = 0; depth < 20_000; depth++) value = [value];
  expect(() => decodeOtlpJson({ resourceSpans: [value] })).toThrow(/must be an object, got a very deeply nested value/);
});
