export type {
  CommonErrorRow,
  ComparedSide,
  ComparisonRow,
  ConversationDetail,
  ConversationRow,
  HourOfDayRow,
  HourRow,
  LeftOut,
  PercentileName,
  SlowConversationRow,
  StepAverageRow,
  StepErrorRow,
  StepPercentiles,
  StepRow,
  StepSuccessRow,
  Verdict,
} from './answers/data.ts';
export type { Report } from './answers/report.ts';
export type { SingleOptions, WindowedOptions } from './answers/options.ts';
export type { Evidence, Finding, FindingRule, Severity } from './findings/finding.ts';
export type { ConversationRecord, ConversationOutcome } from './model/conversation.ts';
export type { Answer, Coverage } from './model/coverage.ts';
export type { ConversationFilters } from './model/window.ts';
export type { SpanRecord, SpanRest } from './model/span-record.ts';
export type { Window } from './model/window.ts';
export type {
  AnyQuestion,
  CommonError,
  CommonErrorsQuestion,
  ConversationCount,
  ConversationCountsQuestion,
  ConversationSource,
  ConversationQuestion,
  ConversationsQuestion,
  Question,
  QuestionName,
  Questions,
  ConversationSpans,
  SourceKind,
  StepColumn,
  StepDurations,
  StepDurationsQuestion,
  StepStatistics,
  StepStatisticsQuestion,
} from './questions.ts';
export { SourceError } from './source-error.ts';
export type { SourceErrorCode } from './source-error.ts';
export { formatInstant, formatLocalInstant } from './time/format-instant.ts';
export { parseInstant } from './time/parse-instant.ts';
export { TimeError } from './time/time-error.ts';
export type { TimeErrorCode } from './time/time-error.ts';
export { zonedMidnight } from './time/zoned-midnight.ts';
export { isTimeZone } from './time/zone-offset.ts';
export { QueryError } from './answers/query-error.ts';
export type { QueryErrorCode } from './answers/query-error.ts';
export { averages } from './commands/averages.ts';
export { busiest } from './commands/busiest.ts';
export { commonErrors } from './commands/common-errors.ts';
export type { CommonErrorsOptions } from './commands/common-errors.ts';
export { errors } from './commands/errors.ts';
export { hours } from './commands/hours.ts';
export { longest } from './commands/longest.ts';
export type { LongestOptions } from './commands/longest.ts';
export { percentiles } from './commands/percentiles.ts';
export type { PercentilesOptions } from './commands/percentiles.ts';
export { recent } from './commands/recent.ts';
export type { RecentOptions } from './commands/recent.ts';
export { slow } from './commands/slow.ts';
export type { SlowOptions } from './commands/slow.ts';
export { success } from './commands/success.ts';
export { summary } from './commands/summary.ts';
export type { ConversationOptions } from './commands/summary.ts';
export { timeline } from './commands/timeline.ts';
export { trace } from './commands/trace.ts';
export { compare } from './commands/compare.ts';
export type { CompareOptions, ComparisonReport } from './commands/compare.ts';
export { MemorySource } from './engines/memory/memory-source.ts';
export type { MemorySourceOptions } from './engines/memory/memory-source.ts';
export type { Alert, AlertRule } from './watch/alert.ts';
export type { RoundOptions } from './watch/round.ts';
export { highErrorRate } from './watch/rules/high-error-rate.ts';
export type { HighErrorRateOptions } from './watch/rules/high-error-rate.ts';
export { noConversations } from './watch/rules/no-conversations.ts';
export type { NoConversationsOptions } from './watch/rules/no-conversations.ts';
export { slowConversations } from './watch/rules/slow-conversations.ts';
export type { SlowConversationsOptions } from './watch/rules/slow-conversations.ts';
export { slowStep } from './watch/rules/slow-step.ts';
export type { SlowStepOptions } from './watch/rules/slow-step.ts';
export { watchOnce } from './watch/watch-once.ts';
export { watch } from './watch/watch.ts';
export type { WatchOptions } from './watch/watch.ts';
export { openFileSource } from './sources/file/file-source.ts';
export { ServeSource } from './sources/serve/serve-source.ts';
export type { ServeSourceOptions } from './sources/serve/serve-source.ts';
export type { JaegerSourceOptions } from './sources/jaeger/jaeger-options.ts';
export { JaegerSource } from './sources/jaeger/jaeger-source.ts';
export { openHttpSource } from './sources/open-http-source.ts';
