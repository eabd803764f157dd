import { expect, test } from '@jest/globals';
import { decodeOtlpJson } from '@convotel/query/engine';

const ATTRIBUTES = {
  'conversation.id': 'one',
  'conversation.step.name': 'gpt',
  'conversation.outcome': 'failed',
  'conversation.pii.input_text': 'Hello',
  'conversation.pii.output_text': 'Hi',
  'server.address': 'somewhere',
};

const REQUEST = {
  resourceSpans: [
    {
      resource: {
        attributes: [
          { key: 'service.name', value: { stringValue: 'voice-bot' } },
          { key: 'os', value: {} },
        ],
      },
      scopeSpans: [
        {
          scope: { name: 'test' },
          spans: [
            {
              traceId: 'a'.repeat(32),
              spanId: 'b'.repeat(16),
              name: 'gpt',
              kind: 1,
              startTimeUnixNano: '1000',
              endTimeUnixNano: '3000',
              attributes: Object.entries(ATTRIBUTES).map(([key, stringValue]) => ({ key, value: { stringValue } })),
              status: { code: 2, message: 'slow down' },
              events: [{ name: 'retry' }],
            },
          ],
        },
      ],
    },
  ],
};

test('a slim span is the whole one without texts, and of the rest with nothing but attributes', () => {
  const [whole] = decodeOtlpJson(REQUEST);
  const { rest, inputText, outputText, ...expected } = whole!;
  expect({ inputText, outputText }).toEqual({ inputText: 'Hello', outputText: 'Hi' });
  expect(rest).toMatchObject({ kind: 1, events: [{ name: 'retry' }], scope: { name: 'test' } });
  expect(expected).toMatchObject({ step: 'gpt', outcome: 'failed', errorMessage: 'slow down', durationNano: 2000n });
  const { attributes, resourceAttributes } = rest!;
  expect(attributes).toHaveLength(1);
  expect(decodeOtlpJson(REQUEST, 'slim')).toEqual([{ ...expected, rest: { attributes, resourceAttributes } }]);
});
