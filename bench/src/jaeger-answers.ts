import { rootSpanIdOf, traceIdOf } from '@convotel/conventions';

/** The conversation that the stand-in of a Jaeger knows. */
export const JAEGER_CONVERSATION = '20251008_143022_a1b2c3d4';

/** When it began, in nanoseconds since 1970. */
const START = 1_759_933_822_123_000_000n;
/** Name, start after the conversation's, and duration of each step, in milliseconds. */
const STEPS: readonly (readonly [string, number, number])[] = [
  ['request', 0, 150],
  ['stt', 150, 1234],
  ['gpt', 1384, 3567],
  ['tts', 4951, 1456],
  ['response', 6407, 457],
];

/** What a Jaeger 2.13 answers, by path. */
export const JAEGER_ANSWERS: Readonly<Record<string, string>> = {
  '/api/v3/services': JSON.stringify({ services: ['voice-assistant'] }),
  [`/api/v3/traces/${traceIdOf(JAEGER_CONVERSATION)}`]: JSON.stringify({
    result: {
      resourceSpans: [
        {
          resource: { attributes: [text('service.name', 'voice-assistant')] },
          scopeSpans: [
            {
              scope: { name: '@convotel/tracing', version: '0.1.0' },
              spans: [
                span('conversation', rootSpanIdOf(JAEGER_CONVERSATION), undefined, 0, 6864, [
                  text('conversation.outcome', 'completed'),
                ]),
                ...STEPS.map(([name, startMs, durationMs], index) =>
                  span(name, `${index + 1}`.padStart(16, 'b'), rootSpanIdOf(JAEGER_CONVERSATION), startMs, durationMs, [
                    text('conversation.step.name', name),
                    text('conversation.step.outcome', 'completed'),
                    { key: 'conversation.step.depth', value: { intValue: '0' } },
                  ]),
                ),
              ],
            },
          ],
        },
      ],
    },
  }),
};

function text(key: string, stringValue: string): object {
  return { key, value: { stringValue } };
}

/** Jaeger leaves out what is empty, and writes 64-bit numbers as text. */
function span(
  name: string,
  spanId: string,
  parentSpanId: string | undefined,
  startMs: number,
  durationMs: number,
  attributes: readonly object[],
): object {
  const start = START + BigInt(startMs) * 1_000_000n;
  return {
    traceId: traceIdOf(JAEGER_CONVERSATION),
    spanId,
    ...(parentSpanId !== undefined && { parentSpanId }),
    name,
    kind: 1,
    startTimeUnixNano: String(start),
    endTimeUnixNano: String(start + BigInt(durationMs) * 1_000_000n),
    attributes: [text('conversation.id', JAEGER_CONVERSATION), ...attributes],
    status: {},
  };
}
