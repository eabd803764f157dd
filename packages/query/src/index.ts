// What programs that ask questions need. What a web page needs of it, without Node.js, is in `answers.ts`.

// Answers, one function a command
export { averages, RESPONSE_LATENCY } from './answers/averages.ts';
export type { LeftOut, StepAverageRow } from './answers/averages.ts';
export { busiest } from './answers/hours.ts';
export type { HourOfDayRow } from './answers/hours.ts';
export { commonErrors } from './answers/common-errors.ts';
export type { CommonErrorRow, CommonErrorsOptions } from './answers/common-errors.ts';
export { compare } from './answers/compare/compare.ts';
export type { CompareByAttribute, CompareByTime, CompareOptions, ComparisonReport } from './answers/compare/compare.ts';
export type { ComparisonRow, Verdict } from './answers/compare/compare-windows.ts';
export type { ComparedSide } from './answers/compare/compared-sides.ts';
export type { DifferenceWithinGroups } from './answers/compare/mix.ts';
export type { ConversationRow } from './answers/conversation-lists.ts';
export type { ConversationDetail, StepRow } from './answers/conversation/conversation-detail.ts';
export type { OneConversationOptions } from './answers/conversation/conversation-detail.ts';
export { summary } from './answers/conversation/summary.ts';
export { timeline } from './answers/conversation/summary.ts';
export { trace } from './answers/conversation/trace.ts';
export { correlation } from './answers/correlation.ts';
export type { CorrelatedPair, Correlation } from './answers/correlation.ts';
export { errors } from './answers/errors.ts';
export type { StepErrorRow } from './answers/errors.ts';
export { explain } from './answers/explain/explain.ts';
export type {
  ExplainedPart,
  ExplainedRetry,
  ExplainedStep,
  Explanation,
  WorstStep,
} from './answers/explain/explanation.ts';
export { GROUP_ATTRIBUTES } from './answers/groups.ts';
export type { GroupedOptions } from './answers/groups.ts';
export { hours } from './answers/hours.ts';
export type { HourRow } from './answers/hours.ts';
export { longest } from './answers/conversation-lists.ts';
export type { LongestOptions } from './answers/conversation-lists.ts';
export type { SingleOptions, WindowedOptions } from './answers/report.ts';
export { percentiles } from './answers/percentiles.ts';
export type { GroupPercentiles, PercentileName, PercentilesOptions, StepPercentiles } from './answers/percentiles.ts';
export { recent } from './answers/conversation-lists.ts';
export type { RecentOptions } from './answers/conversation-lists.ts';
export type { Report } from './answers/report.ts';
export { session } from './answers/session.ts';
export type { SessionConversation, SessionDetail, SessionOptions } from './answers/session.ts';
export { sessions } from './answers/sessions.ts';
export type { SessionRow, SessionsOptions } from './answers/sessions.ts';
export { usage } from './answers/usage.ts';
export type { ModelPrice, Usage, UsageGroup, UsageOptions, UsageRow } from './answers/usage.ts';
export { satisfaction } from './answers/satisfaction.ts';
export type { Satisfaction, SatisfactionOptions } from './answers/satisfaction.ts';
export { slow } from './answers/slow.ts';
export type { SlowOptions } from './answers/slow.ts';
export { success } from './answers/success.ts';
export type { StepSuccessRow } from './answers/success.ts';
export type { Evidence, Finding, FindingRule, Severity } from './findings/finding.ts';

// Watching
export type { Alert, AlertRule } from './watch/alert-rules.ts';
export { highErrorRate, noConversations, slowConversations, slowResponse, slowStep } from './watch/alert-rules.ts';
export type {
  HighErrorRateOptions,
  NoConversationsOptions,
  SlowConversationsOptions,
  SlowResponseOptions,
  SlowStepOptions,
} from './watch/alert-rules.ts';
export { watchOnce } from './watch/watch.ts';
export type { RoundOptions } from './watch/watch.ts';
export { watch } from './watch/watch.ts';
export type { WatchOptions } from './watch/watch.ts';

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
export type { ServeHealth } from './sources/serve/serve-answer.ts';
export { ServeSource } from './sources/serve/serve-source.ts';
export type { ServeSourceOptions } from './sources/serve/serve-source.ts';

// Questions, for programs that want the data behind the answers
export type { ConversationOutcome, ConversationRecord } from './model/conversation.ts';
export type { StepUsage } from './model/conversation.ts';
export type { Answer, Coverage, Warning, WarningCode } from './model/coverage.ts';
export { MAX_GROUPS, NO_GROUP, OTHER_GROUPS } from './model/groups.ts';
export type { GroupBy } from './model/groups.ts';
export type { StepColumn, StepTraits } from './model/step-columns.ts';
export type { ConversationFilters } from './model/window.ts';
export type { SpanRecord, SpanRest } from './model/span-record.ts';
export type { Window } from './model/window.ts';
export type {
  AnyQuestion,
  AttributeCount,
  AttributeValuesQuestion,
  CommonError,
  CommonErrorsQuestion,
  ConversationCount,
  ConversationCountsQuestion,
  ConversationQuestion,
  ConversationSource,
  ConversationSpans,
  ConversationsQuestion,
  FirstOutputStatistics,
  Question,
  QuestionName,
  Questions,
  ResponseStatistics,
  ResponseStatisticsQuestion,
  SourceKind,
  StepDurations,
  StepDurationsQuestion,
  StepStatistics,
  StepStatisticsQuestion,
} from './questions.ts';

// Times
export { formatInstant, formatLocalInstant, parseInstant } from './time/instant.ts';
export { isTimeZone, zonedMidnight } from './time/instant.ts';

// Errors
export { QueryError } from './query-error.ts';
export type { QueryErrorCode } from './query-error.ts';
export { SourceError } from './source-error.ts';
export type { SourceErrorCode } from './source-error.ts';
export { TimeError } from './time/instant.ts';
export type { TimeErrorCode } from './time/instant.ts';
