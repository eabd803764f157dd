import { describe, expect, test } from '@jest/globals';
import { AnswerFormatError, decodeAnswer, encodeAnswer } from '@convotel/query/engine';
import type { AnyQuestion, Coverage, QuestionName, Questions, SpanRecord } from '@convotel/query';

const COVERAGE: Coverage = {
  conversations: 2,
  spans: 9,
  complete: false,
  warnings: [{ code: 'unread', text: 'Line 3 was skipped: "x".' }],
};

const SPAN: Required<SpanRecord> = {
  traceId: 'a'.repeat(32),
  spanId: 'b'.repeat(16),
  parentSpanId: 'c'.repeat(16),
  name: 'gpt',
  startTimeUnixNano: 2n ** 63n - 1n,
  durationNano: 0n,
  role: 'step',
  step: 'gpt',
  depth: 1,
  attempt: 2,
  outcome: 'failed',
  isRecovered: true,
  conversationId: '\u001b[31m\u0000\u202e👋',
  sessionId: 'caller',
  workflow: 'voice',
  serviceName: 'voice-bot',
  samplingRatio: 0.1,
  errorType: '429',
  errorMessage: 'line\n"two"',
  inputText: '',
  outputText: '12',
  inputChars: 0,
  outputChars: 3,
  timeToFirstOutputSeconds: 0.1 + 0.2,
  responseLatencySeconds: 0,
  timeoutSeconds: 2.5,
  chunks: 0,
  provider: 'openai',
  model: 'small',
  inputTokens: 2_147_483_647,
  outputTokens: 0,
  audioSeconds: 1.5,
  timingsSeconds: JSON.parse('{"__proto__": 1, "queue_waitNano": 2}') as Record<string, number>,
  rest: { kind: 1, attributes: [{ key: 'x', value: { intValue: '7' } }], status: { code: 2, message: 'm' } },
};

const ANSWERS: { [Name in QuestionName]: Questions[Name]['answer'] } = {
  conversation: { spans: [SPAN, { ...minimal(SPAN), role: 'other' }], otherTraceIds: ['d'.repeat(32)] },
  conversations: [
    {
      conversationId: '',
      traceId: 'a'.repeat(32),
      startTimeUnixNano: -5n,
      endTimeUnixNano: 1_759_926_622_123_456_789n,
      outcome: 'open',
      stepCount: 3,
      stepSumNano: 9_007_199_254_740_993n,
      sessionId: '',
      workflow: 'voice',
      failedStep: 'gpt',
      responseMs: 1e-9,
      interruptedSteps: 2,
      usage: [{ step: 'gpt', provider: 'a', model: 'b', calls: 2, inputTokens: 0, outputTokens: 12, inputChars: 7 }],
      completedNanoByStep: JSON.parse('{}') as Record<string, bigint>,
    },
  ],
  'step-statistics': [
    {
      step: 'gpt',
      total: 4,
      completed: 3,
      failures: 1,
      retried: 1,
      finalFailures: 0,
      count: 2,
      averageMs: 1 / 3,
      minMs: 0,
      maxMs: 5e-324,
      outermostMs: Number.MAX_VALUE,
      leftOut: { tooLong: 1, notCompleted: 1 },
      timings: { generation: 1e-9 },
      quantilesMs: [Number.NaN, Infinity, -Infinity],
      quantileIntervalsMs: [{ lowMs: 0.5, highMs: Infinity }, { highMs: 2 }, {}],
      firstOutput: { count: 1, averageMs: 0.5, quantilesMs: [Infinity], quantileIntervalsMs: [{ lowMs: 1 }] },
    },
    {
      group: 'gpt-4o',
      step: 'tts',
      total: 0,
      completed: 0,
      failures: 0,
      retried: 0,
      finalFailures: 0,
      count: 0,
      outermostMs: 0,
      leftOut: { tooLong: 0, notCompleted: 0 },
      timings: {},
      quantilesMs: [],
    },
  ],
  'conversation-counts': [
    { hourUnixNano: 0n, conversations: 1 },
    { hourOfDay: 23, conversations: 2 },
  ],
  'response-statistics': [
    { conversations: 2, averageMs: 0.5, minMs: 0, maxMs: 1, quantilesMs: [0.5, Number.NaN], quantileIntervalsMs: [] },
    { group: '(other)', conversations: 0, quantilesMs: [] },
  ],
  'attribute-values': [{ value: '', spans: 3 }],
  sessions: {
    sessions: [
      {
        sessionId: 's',
        conversations: 2,
        startTimeUnixNano: 5n,
        lastStartUnixNano: 6n,
        endTimeUnixNano: 1_759_926_622_123_456_789n,
        spokenNano: 9_007_199_254_740_993n,
        failures: 1,
        interruptions: 3,
        inputTokens: 4,
        outputTokens: 0,
      },
    ],
    conversations: 7,
    withoutSession: 5,
  },
  'model-usage': [
    {
      group: 's',
      step: 'stt',
      model: 'm',
      calls: 2,
      inputTokens: 1,
      outputTokens: 0,
      inputChars: 3,
      audioSeconds: 0.5,
    },
    { step: 'tts', calls: 1 },
  ],
  'common-errors': [
    { step: 'gpt', errorType: '429', pattern: '…', message: 'm', count: 2, lastSeenUnixNano: 7n, conversationId: 'x' },
    { step: 'gpt', count: 1, lastSeenUnixNano: 6n, conversationId: 'y' },
  ],
  'step-durations': {
    traceIds: ['a'.repeat(32), 'b'.repeat(32)],
    startTimesUnixNano: BigInt64Array.of(-1n, 2n ** 62n),
    startsInWindow: Uint8Array.of(0, 1),
    outcomes: ['open', 'abandoned'],
    durationMs: Float64Array.of(0.1, 2),
    stepSumMs: Float64Array.of(0.2, 3),
    responseMs: Float64Array.of(Number.NaN, 0),
    groupMasks: Uint32Array.of(1, 2 ** 31),
    steps: [
      {
        step: 'gpt',
        rows: Uint32Array.of(0, 1),
        countedMs: Float64Array.of(0, 1),
        counted: Uint32Array.of(0, 4_294_967_295),
        completedMs: Float64Array.of(Number.NaN, 0.3),
        firstOffsetMs: Float64Array.of(Number.NaN, 0),
      },
      {
        group: '(none)',
        step: 'gpt',
        rows: Uint32Array.of(1),
        countedMs: Float64Array.of(1),
        counted: Uint32Array.of(1),
        completedMs: Float64Array.of(1),
        firstOffsetMs: Float64Array.of(0),
        traits: {
          models: [''],
          retries: Uint32Array.of(3),
          inputChars: Float64Array.of(Number.NaN),
          firstOutputMs: Float64Array.of(0.1),
          firstOutputs: Uint32Array.of(1),
        },
      },
    ],
  },
};

/** Only the fields that every span has. */
function minimal(span: Required<SpanRecord>): SpanRecord {
  const { traceId, spanId, name, startTimeUnixNano, durationNano, role, depth, outcome, isRecovered } = span;
  return { traceId, spanId, name, startTimeUnixNano, durationNano, role, depth, outcome, isRecovered };
}

const REQUIRED_FIELDS = {
  traceId: '',
  name: '',
  startTimeUnixNano: '0',
  durationNano: '0',
  role: 'step',
  depth: 0,
  outcome: 'completed',
  isRecovered: false,
};

const NAMES = Object.keys(ANSWERS) as QuestionName[];

describe('an answer as JSON', () => {
  test.each(NAMES)('comes out as it went in: %s', (name) => {
    const answer = { data: ANSWERS[name], coverage: COVERAGE };
    const text = encodeAnswer({ name } as AnyQuestion, answer);
    expect(JSON.parse(text)).toMatchObject({ question: name });
    expect(decodeAnswer({ name }, text)).toStrictEqual(answer);
  });

  test('keeps a part named like a piece of JavaScript', () => {
    const text = encodeAnswer(
      { name: 'conversation', conversationId: 'x' },
      { data: ANSWERS.conversation, coverage: COVERAGE },
    );
    const { data } = decodeAnswer({ name: 'conversation' }, text);
    expect(Object.entries(data.spans[0]!.timingsSeconds!)).toEqual([
      ['__proto__', 1],
      ['queue_waitNano', 2],
    ]);
  });

  /** The span at one place of many: each field is there in some, and repeats in others. */
  function spanAt(index: number): SpanRecord {
    const optional = Object.entries(SPAN).filter((_entry, place) => (index >> (place % 7)) % 2 === 0);
    const { rest, ...fields } = { ...Object.fromEntries(optional), ...minimal(SPAN) } as SpanRecord;
    return {
      ...fields,
      spanId: index.toString(16).padStart(16, '0'),
      startTimeUnixNano: BigInt(index) * 10n ** 12n,
      timeToFirstOutputSeconds: [Number.NaN, Infinity, -Infinity, index / 3][index % 4]!,
      ...(rest !== undefined && { rest: { ...rest, flags: index % 2, traceState: `${index}` } }),
    };
  }

  test.each([0, 1, 2, 1_023, 1_024, 1_025, 3_000])('keeps what each of %i spans says', (count) => {
    const spans = Array.from({ length: count }, (_, index) => spanAt(index));
    const answer = { data: { spans, otherTraceIds: [] }, coverage: COVERAGE };
    const text = encodeAnswer({ name: 'conversation', conversationId: 'x' }, answer);
    expect(decodeAnswer({ name: 'conversation' }, text)).toStrictEqual(answer);
  });

  test('says once what all spans say', () => {
    const spans = Array.from({ length: 10_000 }, (_, index) => ({
      ...SPAN,
      spanId: index.toString(16).padStart(16, '0'),
    }));
    const answer = { data: { spans, otherTraceIds: [] }, coverage: COVERAGE };
    const text = encodeAnswer({ name: 'conversation', conversationId: 'x' }, answer);
    expect(text.split('"voice-bot"')).toHaveLength(2);
    expect(text.length).toBeLessThan(10_000 * 24);
  });

  test.each([
    ['[]', 'answer.data.spans is not an object'],
    ['{"each":{}}', 'answer.data.spans.same is missing'],
    ['{"each":{},"same":{"spanId":"x"}}', 'answer.data.spans.each.spanId is missing'],
    ['{"each":{"spanId":["x"]},"same":{}}', 'answer.data.spans has no traceId'],
    ['{"each":{"spanId":["x"],"name":["a","b"]},"same":{"traceId":""}}', 'each.name does not have 1 items'],
    ['{"each":{"spanId":[7]},"same":{}}', 'answer.data.spans has no traceId'],
    [`{"each":{"spanId":[7]},"same":${JSON.stringify(REQUIRED_FIELDS)}}`, 'each.spanId is not a string'],
    [`{"each":{"spanId":["x"],"name":[null]},"same":${JSON.stringify(REQUIRED_FIELDS)}}`, 'each.name is not a string'],
    [
      `{"each":{"spanId":["x"]},"same":${JSON.stringify({ ...REQUIRED_FIELDS, model: 7 })}}`,
      'same.model is not a string',
    ],
  ])('refuses spans that are not as promised: %s', (spans, reason) => {
    const text = `{"question":"conversation","data":{"spans":${spans},"otherTraceIds":[]},"coverage":${JSON.stringify(COVERAGE)}}`;
    expect(() => decodeAnswer({ name: 'conversation' }, text)).toThrow(AnswerFormatError);
    expect(() => decodeAnswer({ name: 'conversation' }, text)).toThrow(reason);
  });

  test.each([
    ['', 'the answer is not valid JSON'],
    ['<!doctype html>', 'the answer is not valid JSON'],
    ['[]', 'answer is not an object'],
    ['{}', 'answer.question is missing'],
    ['{"question":"step-durations"}', 'answer.question is not common-errors'],
    ['{"question":"common-errors","data":{}}', 'answer.data is not an array'],
    ['{"question":"common-errors","data":[]}', 'answer.coverage is missing'],
    ['{"question":"common-errors","data":[{"step":7}]}', 'answer.data[0].step is not a string'],
    [
      '{"question":"common-errors","data":[{"step":"x","count":1,"lastSeenUnixNano":7,"conversationId":""}]}',
      'answer.data[0].lastSeenUnixNano is not a whole number in a string',
    ],
    [
      '{"question":"common-errors","data":[],"coverage":{"conversations":0,"spans":0,"complete":1,"warnings":[]}}',
      'answer.coverage.complete is not a boolean',
    ],
  ])('is refused with place and reason: %s', (text, reason) => {
    expect(() => decodeAnswer({ name: 'common-errors' }, text)).toThrow(AnswerFormatError);
    expect(() => decodeAnswer({ name: 'common-errors' }, text)).toThrow(reason);
  });

  test('skips what a newer server says besides', () => {
    const text = `{"question":"conversation-counts","new":1,"data":[{"conversations":3,"new":{}}],"coverage":${JSON.stringify({ ...COVERAGE, new: 1 })}}`;
    expect(decodeAnswer({ name: 'conversation-counts' }, text)).toEqual({
      data: [{ conversations: 3 }],
      coverage: COVERAGE,
    });
  });
});
