// What a web page needs to ask a running `convotel serve` and to show the answers: nothing here imports a module of
// Node.js. Programs in Node.js have all of this, and more, in `index.ts`.

// Answers, one function a command
export { averages } from './answers/averages.ts';
export type { LeftOut, StepAverageRow } from './answers/averages.ts';
export { busiest } from './answers/busiest.ts';
export type { HourOfDayRow } from './answers/busiest.ts';
export { commonErrors } from './answers/common-errors.ts';
export type { CommonErrorRow, CommonErrorsOptions } from './answers/common-errors.ts';
export type { ComparisonRow, Verdict } from './answers/compare/compare-windows.ts';
export { compare } from './answers/compare/compare.ts';
export type { CompareByAttribute, CompareByTime, CompareOptions, ComparisonReport } from './answers/compare/compare.ts';
export type { ComparedSide } from './answers/compare/compared-sides.ts';
export type { DifferenceWithinGroups } from './answers/compare/mix.ts';
export type {
  ConversationDetail,
  OneConversationOptions,
  StepRow,
} from './answers/conversation/conversation-detail.ts';
export { summary } from './answers/conversation/summary.ts';
export { timeline } from './answers/conversation/timeline.ts';
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
export { hours } from './answers/hours.ts';
export type { HourRow } from './answers/hours.ts';
export { longest } from './answers/longest.ts';
export type { LongestOptions } from './answers/longest.ts';
export { percentiles } from './answers/percentiles.ts';
export type { GroupPercentiles, PercentileName, PercentilesOptions, StepPercentiles } from './answers/percentiles.ts';
export { recent } from './answers/recent.ts';
export type { ConversationRow, RecentOptions } from './answers/recent.ts';
export { GROUP_ATTRIBUTES } from './answers/report.ts';
export type { GroupedOptions, Report, SingleOptions, WindowedOptions } from './answers/report.ts';
export { satisfaction } from './answers/satisfaction.ts';
export type { Satisfaction, SatisfactionOptions } from './answers/satisfaction.ts';
export { session } from './answers/session.ts';
export type { SessionConversation, SessionDetail, SessionOptions } from './answers/session.ts';
export { sessions } from './answers/sessions.ts';
export type { SessionRow, SessionsOptions } from './answers/sessions.ts';
export { slow } from './answers/slow.ts';
export type { SlowOptions } from './answers/slow.ts';
export { success } from './answers/success.ts';
export type { StepSuccessRow } from './answers/success.ts';
export { usage } from './answers/usage.ts';
export type { ModelPrice, Usage, UsageGroup, UsageOptions, UsageRow } from './answers/usage.ts';
export type { Evidence, Finding, FindingRule, Severity } from './findings/finding.ts';

// The source
export { ServeSource } from './sources/serve/fetch-serve-source.ts';
export type { Get, GetResponse, ServeSourceOptions } from './sources/serve/fetch-serve-source.ts';

// Questions, for programs that want the data behind the answers
export type {
  ConversationFilters,
  ConversationOutcome,
  ConversationRecord,
  StepUsage,
  Window,
} from './model/conversation.ts';
export type { Answer, Coverage, Warning, WarningCode } from './model/coverage.ts';
export { MAX_GROUPS, NO_GROUP, OTHER_GROUPS } from './model/groups.ts';
export type { GroupBy, StepColumn, StepTraits } from './model/groups.ts';
export type { QuantileInterval } from './model/order-statistics.ts';
export type { SessionSum, SessionSums } from './model/session-sums.ts';
export type { SpanRecord, SpanRest } from './model/span-record.ts';
export type { UsageSum } from './model/usage-sums.ts';
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
  CoverageOption,
  FirstOutputStatistics,
  ModelUsageQuestion,
  Question,
  QuestionName,
  Questions,
  ResponseStatistics,
  ResponseStatisticsQuestion,
  SessionsQuestion,
  SourceKind,
  StepDurations,
  StepDurationsQuestion,
  StepStatistics,
  StepStatisticsQuestion,
} from './questions.ts';

// Times
export { formatInstant, formatLocalInstant, isTimeZone, parseInstant, zonedMidnight } from './time/instant.ts';

// Errors
export { QueryError, SourceError } from './errors.ts';
export type { QueryErrorCode, SourceErrorCode } from './errors.ts';
export { TimeError } from './time/instant.ts';
export type { TimeErrorCode } from './time/instant.ts';
