import type { ConversationRecord } from '../../model/conversation.ts';
import type { StepColumn } from '../../model/groups.ts';
import type { QuantileInterval } from '../../model/order-statistics.ts';
import { MAX_QUESTION_QUANTILES } from '../../questions.ts';
import type { QuestionName, Questions } from '../../questions.ts';
import { readSpanTable, spanTableParts } from './span-table.ts';
import {
  asBoolean,
  asLimit,
  asNanoseconds,
  asProbability,
  asText,
  asTimeZone,
  CONVERSATION_OUTCOMES,
  FILTERS,
  GROUP_BY,
  oneOf,
  optional,
  OPTIONAL_WINDOW,
  readArrayOf,
  readBigint,
  readFloats,
  readNumber,
  readObject,
  readOneOf,
  readRecordOf,
  readText,
  repeated,
  required,
  WINDOW,
} from './wire-values.ts';
import type { ParameterForm, Reader } from './wire-values.ts';

/** The HTTP form of one question: its fields as URL parameters, its answer as JSON. */
export interface QuestionDescription<Name extends QuestionName> {
  asked: {
    readonly [Field in keyof Required<Questions[Name]['asked']>]: ParameterForm<Questions[Name]['asked'][Field]>;
  };
  answer: Reader<Questions[Name]['answer']>;
  /** The answer as JSON, in parts. @defaultValue each field by its name */
  parts?(answer: Questions[Name]['answer']): Iterable<string>;
}

const readConversation: Reader<ConversationRecord> = readObject(
  {
    conversationId: readText,
    traceId: readText,
    startTimeUnixNano: readBigint,
    endTimeUnixNano: readBigint,
    outcome: readOneOf(CONVERSATION_OUTCOMES),
    stepCount: readNumber,
    stepSumNano: readBigint,
    completedNanoByStep: readRecordOf(readBigint),
    interruptedSteps: readNumber,
    usage: readArrayOf(
      readObject(
        { step: readText, calls: readNumber },
        {
          provider: readText,
          model: readText,
          inputTokens: readNumber,
          outputTokens: readNumber,
          inputChars: readNumber,
          audioSeconds: readNumber,
        },
      ),
    ),
  },
  {
    sessionId: readText,
    workflow: readText,
    failedStep: readText,
    responseMs: readNumber,
  },
);

const readStepColumn: Reader<StepColumn> = readObject(
  {
    step: readText,
    rows: (json, place) => Uint32Array.from(readArrayOf(readNumber)(json, place)),
    countedMs: readFloats,
    counted: (json, place) => Uint32Array.from(readArrayOf(readNumber)(json, place)),
    completedMs: readFloats,
    firstOffsetMs: readFloats,
  },
  {
    group: readText,
    traits: readObject(
      {
        models: readArrayOf(readText),
        retries: (json, place) => Uint32Array.from(readArrayOf(readNumber)(json, place)),
        inputChars: readFloats,
        firstOutputMs: readFloats,
        firstOutputs: (json, place) => Uint32Array.from(readArrayOf(readNumber)(json, place)),
      },
      {},
    ),
  },
);

const readIntervals: Reader<QuantileInterval[]> = readArrayOf(
  readObject({}, { lowMs: readNumber, highMs: readNumber }),
);

/** One description per question, which the compiler enforces. The server's routes are derived from it too. */
export const QUESTION_DESCRIPTIONS: { readonly [Name in QuestionName]: QuestionDescription<Name> } = {
  conversation: {
    asked: { conversationId: required('id', asText) },
    answer: readObject({ spans: readSpanTable, otherTraceIds: readArrayOf(readText) }, {}),
    *parts({ spans, otherTraceIds }) {
      yield '{"spans":';
      yield* spanTableParts(spans);
      yield `,"otherTraceIds":${JSON.stringify(otherTraceIds)}}`;
    },
  },
  conversations: {
    asked: {
      window: OPTIONAL_WINDOW,
      filters: FILTERS,
      order: required('order', oneOf(['newest', 'longest', 'slowest', 'slowest-response'])),
      limit: required('limit', asLimit),
      aboveNano: optional('aboveNano', asNanoseconds),
    },
    answer: readArrayOf(readConversation),
  },
  'step-statistics': {
    asked: {
      window: WINDOW,
      filters: FILTERS,
      step: optional('step', asText),
      timings: optional('timings', asBoolean),
      quantileIntervals: optional('quantileIntervals', asBoolean),
      durationQuantiles: optional('durationQuantiles', asBoolean),
      firstOutput: optional('firstOutput', asBoolean),
      groupBy: GROUP_BY,
      quantiles: repeated('quantile', asProbability, MAX_QUESTION_QUANTILES),
    },
    answer: readArrayOf(
      readObject(
        {
          step: readText,
          total: readNumber,
          completed: readNumber,
          failures: readNumber,
          retried: readNumber,
          finalFailures: readNumber,
          count: readNumber,
          outermostMs: readNumber,
          leftOut: readObject({ tooLong: readNumber, notCompleted: readNumber }, {}),
          timings: readRecordOf(readNumber),
          quantilesMs: readArrayOf(readNumber),
        },
        {
          group: readText,
          averageMs: readNumber,
          minMs: readNumber,
          maxMs: readNumber,
          quantileIntervalsMs: readIntervals,
          firstOutput: readObject(
            { count: readNumber, averageMs: readNumber, quantilesMs: readArrayOf(readNumber) },
            { quantileIntervalsMs: readIntervals },
          ),
        },
      ),
    ),
  },
  'conversation-counts': {
    asked: {
      window: WINDOW,
      filters: FILTERS,
      by: required('by', oneOf(['hour', 'hourOfDay'])),
      timeZone: required('timeZone', asTimeZone),
    },
    answer: readArrayOf(readObject({ conversations: readNumber }, { hourUnixNano: readBigint, hourOfDay: readNumber })),
  },
  'response-statistics': {
    asked: {
      window: WINDOW,
      filters: FILTERS,
      coverage: optional('coverage', asBoolean),
      quantiles: repeated('quantile', asProbability, MAX_QUESTION_QUANTILES),
      quantileIntervals: optional('quantileIntervals', asBoolean),
      groupBy: GROUP_BY,
    },
    answer: readArrayOf(
      readObject(
        { conversations: readNumber, quantilesMs: readArrayOf(readNumber) },
        {
          group: readText,
          averageMs: readNumber,
          minMs: readNumber,
          maxMs: readNumber,
          quantileIntervalsMs: readIntervals,
        },
      ),
    ),
  },
  'common-errors': {
    asked: {
      window: WINDOW,
      filters: FILTERS,
      coverage: optional('coverage', asBoolean),
      limit: required('limit', asLimit),
      conversationIds: optional('conversationIds', asBoolean),
    },
    answer: readArrayOf(
      readObject(
        { step: readText, count: readNumber, lastSeenUnixNano: readBigint, conversationId: readText },
        { errorType: readText, pattern: readText, message: readText },
      ),
    ),
  },
  'step-durations': {
    asked: {
      window: WINDOW,
      filters: FILTERS,
      groupBy: GROUP_BY,
      traits: optional('traits', asBoolean),
      steps: optional('steps', asBoolean),
    },
    answer: readObject(
      {
        traceIds: readArrayOf(readText),
        startTimesUnixNano: (json, place) => BigInt64Array.from(readArrayOf(readBigint)(json, place)),
        startsInWindow: (json, place) => Uint8Array.from(readArrayOf(readNumber)(json, place)),
        outcomes: readArrayOf(readOneOf(CONVERSATION_OUTCOMES)),
        durationMs: readFloats,
        stepSumMs: readFloats,
        responseMs: readFloats,
        steps: readArrayOf(readStepColumn),
      },
      { groupMasks: (json, place) => Uint32Array.from(readArrayOf(readNumber)(json, place)) },
    ),
  },
  'attribute-values': {
    asked: {
      window: WINDOW,
      filters: FILTERS,
      attribute: required('attribute', asText),
      step: optional('step', asText),
      limit: required('limit', asLimit),
    },
    answer: readArrayOf(readObject({ value: readText, spans: readNumber }, {})),
  },
  sessions: {
    asked: { window: WINDOW, filters: FILTERS, limit: required('limit', asLimit) },
    answer: readObject(
      {
        sessions: readArrayOf(
          readObject(
            {
              sessionId: readText,
              conversations: readNumber,
              startTimeUnixNano: readBigint,
              lastStartUnixNano: readBigint,
              endTimeUnixNano: readBigint,
              spokenNano: readBigint,
              failures: readNumber,
              interruptions: readNumber,
            },
            { inputTokens: readNumber, outputTokens: readNumber },
          ),
        ),
        conversations: readNumber,
        withoutSession: readNumber,
      },
      {},
    ),
  },
  'model-usage': {
    asked: {
      window: WINDOW,
      filters: FILTERS,
      by: optional('by', oneOf(['day', 'workflow', 'session'])),
      timeZone: required('timeZone', asTimeZone),
    },
    answer: readArrayOf(
      readObject(
        { step: readText, calls: readNumber },
        {
          group: readText,
          model: readText,
          inputTokens: readNumber,
          outputTokens: readNumber,
          inputChars: readNumber,
          audioSeconds: readNumber,
        },
      ),
    ),
  },
};

/** The names of all questions. */
export const QUESTION_NAMES = Object.keys(QUESTION_DESCRIPTIONS) as QuestionName[];
