// What engines, servers of the questions and tests build on. Programs that ask questions need `index.ts` only.

// The seam
export { askEngine, MAX_QUESTION_LIMIT, MAX_QUESTION_QUANTILES, MAX_STEP_NAMES, OTHER_STEPS } from './questions.ts';
export type { Engine } from './questions.ts';

// Definitions
export {
  buildConversation,
  compareByStart,
  EARLIEST_UNIX_NANO,
  findRetried,
  isInWindow,
  LATEST_UNIX_NANO,
} from './model/conversation.ts';
export { copyKeyOf, SPAN_FIELDS, supersedes } from './model/span-record.ts';
export type { SpanField, SpanFieldKind } from './model/span-record.ts';
export { foldedWarning, reuseWarnings, samplingWarnings } from './model/coverage.ts';
export type { SampledProgram } from './model/coverage.ts';
export { errorPatternOf } from './model/error-pattern.ts';
export { isCounted, quantileOfSorted, TOO_LONG_NANO } from './model/numbers.ts';
export { orderStatisticInterval } from './model/order-statistics.ts';
export { appendMissingSteps, compareBigint, compareText, orderSteps } from './model/order.ts';
export {
  groupingValues,
  groupMask,
  groupName,
  groupsIn,
  noGroup,
  ownAttributesOf,
  StepCells,
  withoutNoGroup,
} from './model/groups.ts';
export type { AttributeValue, StepCell } from './model/groups.ts';
export { foldIntoHours, zoneOffsetSeconds } from './time/instant.ts';
export type { QuarterHourCount } from './time/instant.ts';

// Sentences
export { stepDisplayName } from './findings/finding.ts';

// Reading spans
export { decodeOtlpJson, takeKnownAttributes } from './otlp/read-span.ts';
export type { SpanDetail } from './otlp/read-span.ts';
export { OtlpFormatError } from './otlp/json-fields.ts';

// Engines over SQL
export { sqlEngine } from './engines/sql/sql-engine.ts';
export { windowValues } from './engines/sql/sql-store.ts';
export type {
  DurationsTable,
  FoldedNames,
  RowReaders,
  SpanStatementName,
  SqlRow,
  SqlStore,
  SqlValue,
  StatementName,
  StepDurationsAsked,
} from './engines/sql/sql-store.ts';

// Questions over HTTP
export { HttpClient, socketPathOf } from './http/http-client.ts';
export type { HttpAnswer, HttpSettings } from './http/http-client.ts';
export { addressOf } from './sources/connect.ts';
export { authorizationFor, shownAddress } from './errors.ts';
export {
  decodeAnswer,
  decodeQuestion,
  encodeAnswer,
  encodedParts,
  encodeQuestion,
  QUESTION_PATH_PREFIX,
} from './sources/serve/codec.ts';
export { AnswerFormatError, QuestionFormatError } from './sources/serve/wire-values.ts';
export { QUESTION_NAMES } from './sources/serve/question-descriptions.ts';

// Work that waits its turn
export { ConcurrencyLimiter, mapInSlices, SerialQueue } from './concurrency.ts';

// Chance that can be repeated
export { randomFrom } from './answers/compare/bootstrap-means.ts';
export type { Random } from './answers/compare/bootstrap-means.ts';
