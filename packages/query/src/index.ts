// What programs that ask questions need. What a web page needs of it, without Node.js, is in `answers.ts`, which says
// where each of these names is defined.

// Answers, one function a command
export {
  averages,
  busiest,
  commonErrors,
  compare,
  correlation,
  errors,
  explain,
  GROUP_ATTRIBUTES,
  hours,
  longest,
  percentiles,
  recent,
  satisfaction,
  session,
  sessions,
  slow,
  success,
  summary,
  timeline,
  trace,
  usage,
} from './answers.ts';
export type {
  CommonErrorRow,
  CommonErrorsOptions,
  CompareByAttribute,
  CompareByTime,
  ComparedSide,
  CompareOptions,
  ComparisonReport,
  ComparisonRow,
  ConversationDetail,
  ConversationRow,
  CorrelatedPair,
  Correlation,
  DifferenceWithinGroups,
  Evidence,
  ExplainedPart,
  ExplainedRetry,
  ExplainedStep,
  Explanation,
  Finding,
  FindingRule,
  GroupedOptions,
  GroupPercentiles,
  HourOfDayRow,
  HourRow,
  LeftOut,
  LongestOptions,
  ModelPrice,
  OneConversationOptions,
  PercentileName,
  PercentilesOptions,
  RecentOptions,
  Report,
  Satisfaction,
  SatisfactionOptions,
  SessionConversation,
  SessionDetail,
  SessionOptions,
  SessionRow,
  SessionsOptions,
  Severity,
  SingleOptions,
  SlowOptions,
  StepAverageRow,
  StepErrorRow,
  StepPercentiles,
  StepRow,
  StepSuccessRow,
  Usage,
  UsageGroup,
  UsageOptions,
  UsageRow,
  Verdict,
  WindowedOptions,
  WorstStep,
} from './answers.ts';
export { RESPONSE_LATENCY } from './answers/averages.ts';

// Watching
export { highErrorRate, noConversations, slowConversations, slowResponse, slowStep } from './watch/alert-rules.ts';
export type {
  Alert,
  AlertRule,
  HighErrorRateOptions,
  NoConversationsOptions,
  SlowConversationsOptions,
  SlowResponseOptions,
  SlowStepOptions,
} from './watch/alert-rules.ts';
export { watch, watchOnce } from './watch/watch.ts';
export type { RoundOptions, WatchOptions } from './watch/watch.ts';

// Sources
export { connect, openHttpSource } from './sources/connect.ts';
export type { ConnectOptions } from './sources/connect.ts';
export { openFileSource } from './sources/file/file-source.ts';
export type { JaegerSourceOptions } from './sources/jaeger/jaeger-client.ts';
export { JaegerSource } from './sources/jaeger/jaeger-source.ts';
export { MemorySource } from './engines/memory/memory-source.ts';
export type { MemorySourceOptions } from './engines/memory/memory-source.ts';
export { openClickHouseSource } from './sources/clickhouse/clickhouse-source.ts';
export type { ClickHouseProgress, ClickHouseSourceOptions } from './sources/clickhouse/clickhouse-source.ts';
export { clickHouseTableDefinition } from './sources/clickhouse/table.ts';
export type { ClickHouseTableOptions } from './sources/clickhouse/table.ts';
export type { ServeHealth } from './sources/serve/fetch-serve-source.ts';
export { ServeSource } from './sources/serve/serve-source.ts';
export type { ServeSourceOptions } from './sources/serve/serve-source.ts';

// Questions, for programs that want the data behind the answers
export { MAX_GROUPS, NO_GROUP, OTHER_GROUPS } from './answers.ts';
export type {
  Answer,
  AnyQuestion,
  AttributeCount,
  AttributeValuesQuestion,
  CommonError,
  CommonErrorsQuestion,
  ConversationCount,
  ConversationCountsQuestion,
  ConversationFilters,
  ConversationOutcome,
  ConversationQuestion,
  ConversationRecord,
  ConversationSource,
  ConversationSpans,
  ConversationsQuestion,
  Coverage,
  CoverageOption,
  FirstOutputStatistics,
  GroupBy,
  ModelUsageQuestion,
  QuantileInterval,
  Question,
  QuestionName,
  Questions,
  ResponseStatistics,
  ResponseStatisticsQuestion,
  SessionsQuestion,
  SessionSum,
  SessionSums,
  SourceKind,
  SpanRecord,
  SpanRest,
  StepColumn,
  StepDurations,
  StepDurationsQuestion,
  StepStatistics,
  StepStatisticsQuestion,
  StepTraits,
  StepUsage,
  UsageSum,
  Warning,
  WarningCode,
  Window,
} from './answers.ts';

// Times
export { formatInstant, formatLocalInstant, isTimeZone, parseInstant, zonedMidnight } from './answers.ts';

// Errors
export { QueryError, SourceError, TimeError } from './answers.ts';
export type { QueryErrorCode, SourceErrorCode, TimeErrorCode } from './answers.ts';
