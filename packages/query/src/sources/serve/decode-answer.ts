import { OUTCOMES } from '@convotel/conventions';
import type { Conversation, ConversationOutcome } from '../../model/conversation.ts';
import type { Answer, Coverage } from '../../model/coverage.ts';
import type { SpanRecord, SpanRest } from '../../model/span-record.ts';
import type {
  CommonError,
  ConversationCount,
  ConversationSpans,
  QuestionName,
  Questions,
  StepColumn,
  StepDurations,
  StepStatistics,
} from '../../questions.ts';
import {
  AnswerFormatError,
  readAnything,
  readArrayOf,
  readBigint,
  readBoolean,
  readNumber,
  readObject,
  readOneOf,
  readRecordOf,
  readText,
} from './json-readers.ts';
import type { Reader } from './json-readers.ts';

/**
 * The answer that `encodeAnswer` made `text` of.
 *
 * @throws {@link AnswerFormatError} when it is no JSON, not as promised, or the answer to another question.
 */
export function decodeAnswer<Name extends QuestionName>(
  question: { name: Name },
  text: string,
): Answer<Questions[Name]['answer']> {
  const readData: Reader<Questions[Name]['answer']> = DATA_READERS[question.name];
  const read = readObject({ question: readOneOf([question.name]), data: readData, coverage: readCoverage }, {});
  const { data, coverage } = read(parseJson(text), 'answer');
  return { data, coverage };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new AnswerFormatError(`the answer is no JSON: ${(error as Error).message}`, { cause: error });
  }
}

const CONVERSATION_OUTCOMES: readonly ConversationOutcome[] = [...OUTCOMES, 'open'];

const readCoverage: Reader<Coverage> = readObject(
  { conversations: readNumber, spans: readNumber, complete: readBoolean, warnings: readArrayOf(readText) },
  {},
);

const readSpan: Reader<SpanRecord> = readObject(
  {
    traceId: readText,
    spanId: readText,
    name: readText,
    startTimeUnixNano: readBigint,
    durationNano: readBigint,
    role: readOneOf(['root', 'step', 'other']),
    depth: readNumber,
    outcome: readOneOf(OUTCOMES),
    isRecovered: readBoolean,
  },
  {
    parentSpanId: readText,
    step: readText,
    attempt: readNumber,
    conversationId: readText,
    sessionId: readText,
    workflow: readText,
    serviceName: readText,
    samplingRatio: readNumber,
    errorType: readText,
    errorMessage: readText,
    inputText: readText,
    outputText: readText,
    inputChars: readNumber,
    outputChars: readNumber,
    timeToFirstOutputSeconds: readNumber,
    timingsSeconds: readRecordOf(readNumber),
    rest: readAnything as Reader<SpanRest>,
  },
);

const readConversationSpans: Reader<ConversationSpans> = readObject(
  { spans: readArrayOf(readSpan), otherTraceIds: readArrayOf(readText) },
  {},
);

const readConversation: Reader<Conversation> = readObject(
  {
    conversationId: readText,
    traceId: readText,
    startTimeUnixNano: readBigint,
    endTimeUnixNano: readBigint,
    outcome: readOneOf(CONVERSATION_OUTCOMES),
    stepCount: readNumber,
    totalNano: readBigint,
    completedNano: readBigint,
    completedNanoByStep: readRecordOf(readBigint),
  },
  {},
);

const readStepStatistics: Reader<StepStatistics> = readObject(
  {
    step: readText,
    total: readNumber,
    completed: readNumber,
    failures: readNumber,
    count: readNumber,
    outermostMs: readNumber,
    leftOut: readObject({ tooLong: readNumber, notCompleted: readNumber }, {}),
    timings: readRecordOf(readNumber),
    quantilesMs: readArrayOf(readNumber),
  },
  { averageMs: readNumber, minMs: readNumber, maxMs: readNumber },
);

const readConversationCount: Reader<ConversationCount> = readObject(
  { conversations: readNumber },
  { hourUnixNano: readBigint, hourOfDay: readNumber },
);

const readCommonError: Reader<CommonError> = readObject(
  { step: readText, count: readNumber, lastSeenUnixNano: readBigint, conversationId: readText },
  { errorType: readText, message: readText },
);

const readFloats: Reader<Float64Array> = (json, place) => Float64Array.from(readArrayOf(readNumber)(json, place));

const readStepColumn: Reader<StepColumn> = readObject(
  {
    step: readText,
    countedMs: readFloats,
    counted: (json, place) => Uint32Array.from(readArrayOf(readNumber)(json, place)),
    completedMs: readFloats,
    firstOffsetMs: readFloats,
  },
  {},
);

const readStepDurations: Reader<StepDurations> = readObject(
  {
    traceIds: readArrayOf(readText),
    startTimesUnixNano: (json, place) => BigInt64Array.from(readArrayOf(readBigint)(json, place)),
    startsInWindow: (json, place) => Uint8Array.from(readArrayOf(readNumber)(json, place)),
    outcomes: readArrayOf(readOneOf(CONVERSATION_OUTCOMES)),
    totalMs: readFloats,
    steps: readArrayOf(readStepColumn),
  },
  {},
);

const DATA_READERS: { readonly [Name in QuestionName]: Reader<Questions[Name]['answer']> } = {
  conversation: readConversationSpans,
  conversations: readArrayOf(readConversation),
  'step-statistics': readArrayOf(readStepStatistics),
  'conversation-counts': readArrayOf(readConversationCount),
  'common-errors': readArrayOf(readCommonError),
  'step-durations': readStepDurations,
};
