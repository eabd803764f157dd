import type {
  AveragesFacts,
  CommonErrorsFacts,
  ComparisonFacts,
  ErrorsFacts,
  PercentilesFacts,
  SlowFacts,
  SuccessFacts,
  SummaryFacts,
  TraceFacts,
} from './facts.ts';
import type { FindingRule } from './finding.ts';

/** The rules of each command, in the order in which their sentences stand below its table. */
export const RULES_BY_COMMAND: {
  readonly summary: readonly FindingRule<SummaryFacts>[];
  readonly trace: readonly FindingRule<TraceFacts>[];
  readonly timeline: readonly FindingRule<SummaryFacts>[];
  readonly averages: readonly FindingRule<AveragesFacts>[];
  readonly percentiles: readonly FindingRule<PercentilesFacts>[];
  readonly slow: readonly FindingRule<SlowFacts>[];
  readonly errors: readonly FindingRule<ErrorsFacts>[];
  readonly success: readonly FindingRule<SuccessFacts>[];
  readonly commonErrors: readonly FindingRule<CommonErrorsFacts>[];
  readonly compare: readonly FindingRule<ComparisonFacts>[];
} = {
  summary: [],
  trace: [],
  timeline: [],
  averages: [],
  percentiles: [],
  slow: [],
  errors: [],
  success: [],
  commonErrors: [],
  compare: [],
};
