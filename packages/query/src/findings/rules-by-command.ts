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
import { allStepsCompleted } from './rules/all-steps-completed.ts';
import { bottleneckStep } from './rules/bottleneck-step.ts';
import { commonCause } from './rules/common-cause.ts';
import { comparisonVerdict } from './rules/comparison-verdict.ts';
import { considerTimeout } from './rules/consider-timeout.ts';
import { conversationEnding } from './rules/conversation-ending.ts';
import { dominatingStep } from './rules/dominating-step.ts';
import { endToEndChange } from './rules/end-to-end-change.ts';
import { errorsInOneStep } from './rules/errors-in-one-step.ts';
import { fallBack } from './rules/fall-back.ts';
import { goodBaseline } from './rules/good-baseline.ts';
import { highErrorRate } from './rules/high-error-rate.ts';
import { investigateSlow } from './rules/investigate-slow.ts';
import { lowestSuccess } from './rules/lowest-success.ts';
import { medianCall } from './rules/median-call.ts';
import { missingSteps } from './rules/missing-steps.ts';
import { monitorCause } from './rules/monitor-cause.ts';
import { moreErrors } from './rules/more-errors.ts';
import { neverFailingSteps } from './rules/never-failing-steps.ts';
import { noFailures } from './rules/no-failures.ts';
import { overTarget } from './rules/over-target.ts';
import { reliableStep } from './rules/reliable-step.ts';
import { remedyCause } from './rules/remedy-cause.ts';
import { retryFailures } from './rules/retry-failures.ts';
import { slowOutliers } from './rules/slow-outliers.ts';
import { slowStep } from './rules/slow-step.ts';
import { slowTail } from './rules/slow-tail.ts';
import { speedUpStep } from './rules/speed-up-step.ts';
import { stepChange } from './rules/step-change.ts';
import { stepSpread } from './rules/step-spread.ts';
import { totalChange } from './rules/total-change.ts';
import { totalDuration } from './rules/total-duration.ts';
import { unansweredUser } from './rules/unanswered-user.ts';
import { unattributedTime } from './rules/unattributed-time.ts';
import { unmeasuredStep } from './rules/unmeasured-step.ts';
import { unsuccessfulStep } from './rules/unsuccessful-step.ts';

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
  summary: [
    totalDuration,
    bottleneckStep,
    allStepsCompleted,
    unsuccessfulStep,
    slowStep,
    unattributedTime,
    overTarget,
    goodBaseline,
  ],
  trace: [conversationEnding, unsuccessfulStep, missingSteps, unansweredUser, allStepsCompleted],
  timeline: [bottleneckStep, unattributedTime],
  averages: [stepSpread, unmeasuredStep],
  percentiles: [medianCall, slowTail, slowOutliers],
  slow: [investigateSlow, dominatingStep, considerTimeout, speedUpStep],
  errors: [
    highErrorRate,
    errorsInOneStep,
    reliableStep,
    neverFailingSteps,
    noFailures,
    retryFailures,
    remedyCause,
    fallBack,
    monitorCause,
  ],
  success: [lowestSuccess],
  commonErrors: [commonCause],
  compare: [stepChange, totalChange, endToEndChange, moreErrors, comparisonVerdict],
};
