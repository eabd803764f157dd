// What engines, servers of the questions and tests build on. Programs that ask questions need `index.ts` only.

// The seam
export { askEngine, MAX_QUESTION_LIMIT, MAX_QUESTION_QUANTILES, MAX_STEP_NAMES, OTHER_STEPS } from './questions.ts';
export type { Engine } from './questions.ts';

// Definitions
export { buildConversation } from './model/conversation.ts';
export { copyKeyOf, supersedes } from './model/copies.ts';
export { foldedWarning, reuseWarnings, samplingWarnings } from './model/coverage.ts';
export type { SampledProgram } from './model/coverage.ts';
export { errorPatternOf } from './model/error-pattern.ts';
export { isCounted, quantileOfSorted, TOO_LONG_NANO } from './model/numbers.ts';
export { compareBigint, compareText } from './model/order.ts';
export { SPAN_FIELDS } from './model/span-fields.ts';
export type { SpanField, SpanFieldKind } from './model/span-fields.ts';
export { appendMissingSteps, orderSteps } from './model/step-order.ts';
export { groupMask, groupName, groupsIn, noGroup } from './model/groups.ts';
export { groupingValues, ownAttributesOf } from './model/groups.ts';
export type { AttributeValue } from './model/groups.ts';
export { StepCells } from './model/step-columns.ts';
export type { StepCell } from './model/step-columns.ts';
export { compareByStart, findRetried } from './model/conversation.ts';
export { EARLIEST_UNIX_NANO, isInWindow, LATEST_UNIX_NANO } from './model/window.ts';
export { foldIntoHours } from './time/fold-into-hours.ts';
export type { QuarterHourCount } from './time/fold-into-hours.ts';
export { zoneOffsetSeconds } from './time/instant.ts';

// Reading spans
export { decodeOtlpJson } from './otlp/decode-otlp-json.ts';
export { OtlpFormatError } from './otlp/json-fields.ts';
export { takeKnownAttributes } from './otlp/read-span.ts';
export type { SpanDetail } from './otlp/read-span.ts';

// Engines over SQL
export { sqlEngine } from './engines/sql/sql-engine.ts';
export { windowValues } from './engines/sql/sql-store.ts';
export type { FoldedNames, RowReaders, SqlRow, SqlStore, SqlValue, StatementName } from './engines/sql/sql-store.ts';

// Questions over HTTP
export { HttpClient, socketPathOf } from './http/http-client.ts';
export { addressOf } from './sources/connect.ts';
export { authorizationFor, shownAddress } from './http/shown-address.ts';
export type { HttpAnswer, HttpSettings } from './http/http-client.ts';
export {
  decodeAnswer,
  decodeQuestion,
  encodeAnswer,
  encodedParts,
  encodeQuestion,
  QUESTION_PATH_PREFIX,
} from './sources/serve/codec.ts';
export { AnswerFormatError } from './sources/serve/json-readers.ts';
export { QuestionFormatError } from './sources/serve/parameters.ts';
export { QUESTION_NAMES } from './sources/serve/question-descriptions.ts';

// Work that waits its turn
export { ConcurrencyLimiter, mapInSlices, SerialQueue } from './concurrency.ts';

// Chance that can be repeated
export { randomFrom } from './seeded-random.ts';
export type { Random } from './seeded-random.ts';
