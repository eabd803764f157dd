import type { Alert, AlertRule, ConversationFilters } from '@convotel/query';
import { durationMs } from '../values.ts';
import { UsageError } from '../terminal.ts';
import type { Settings, WatchRuleSettings } from '../settings/settings.ts';
import { limitsOf } from '../settings/read-settings.ts';

/** One rule, from an option or from `convotel.json`. */
export interface WatchRule {
  /** Identifies the rule in the state file; the same in every run. */
  key: string;
  /** Checks the limit. */
  over: AlertRule;
  /** Checks the lower limit (`clearBelow`), below which an alert ends; absent if there is none. */
  overLower?: AlertRule | undefined;
  /** With fewer samples in the window, the rule neither starts nor ends an alert. */
  minSamples: number;
  /** How long the condition must last before it is an alert, in milliseconds. */
  forMs: number;
}

/** Defaults for rules that do not set these themselves. */
interface RuleDefaults {
  minSamples: number;
  forMs: number;
}

/** A failure rate in per cent, of one step or of each step. */
export interface ErrorRateLimit {
  step?: string;
  abovePct: number;
}

/** A 95th percentile in milliseconds. */
export interface StepLimit {
  step: string;
  aboveMs: number;
}

/** Options that define rules. */
export interface RuleOptions {
  maxErrorRate: readonly ErrorRateLimit[];
  maxSlow: number | undefined;
  slowThreshold: number | undefined;
  maxP95: readonly StepLimit[];
  maxResponse: number | undefined;
  idle: boolean;
  minSamples: number;
  for: number;
}

/** The functions of `@convotel/query` that create rules. */
export type AlertRules = Pick<
  typeof import('@convotel/query'),
  'highErrorRate' | 'noConversations' | 'slowConversations' | 'slowResponse' | 'slowStep'
>;

/**
 * The rules from `convotel.json` and from options. If the file has none, the default rules for failures and for
 * slow conversations apply.
 */
export function watchRules(
  options: RuleOptions,
  settings: Settings,
  alertRules: AlertRules,
  filters: ConversationFilters,
): WatchRule[] {
  const defaults = { minSamples: options.minSamples, forMs: options.for };
  const ofSettings = settings.watch?.rules?.map((rule, index) =>
    ruleOfSettings(rule, `watch.rules[${index}]`, alertRules, filters, defaults),
  );
  const { slowThreshold: thresholdMs, maxSlow: moreThan } = options;
  const rules: WatchRule[] = ofSettings ?? [];
  const add = (key: string, over: AlertRule): void => void rules.push({ key, over, ...defaults });

  // A limit for one step does not replace the limit for every step, nor that of another step.
  const errorRates = options.maxErrorRate.length === 0 && ofSettings === undefined ? [{}] : options.maxErrorRate;
  for (const limit of errorRates) {
    add(`--max-error-rate ${JSON.stringify(limit)}`, alertRules.highErrorRate({ ...limit, filters }));
  }
  if (ofSettings === undefined || thresholdMs !== undefined || moreThan !== undefined) {
    add(`--max-slow ${moreThan} ${thresholdMs}`, alertRules.slowConversations({ thresholdMs, moreThan, filters }));
  }
  for (const limit of options.maxP95)
    add(`--max-p95 ${JSON.stringify(limit)}`, alertRules.slowStep({ ...limit, filters }));
  if (options.maxResponse !== undefined) {
    add(`--max-response ${options.maxResponse}`, alertRules.slowResponse({ aboveMs: options.maxResponse, filters }));
  }
  if (options.idle) add('--idle', alertRules.noConversations({ filters }));
  if (settings.steps !== undefined || settings.kinds !== undefined) {
    add('thresholds', stepThresholds(settings, alertRules, filters));
  }
  if (rules.length === 0) {
    throw new UsageError(
      'There is nothing to watch: watch.rules in convotel.json is empty. Add a rule, or leave it out.',
    );
  }
  return rules;
}

/** Creates a rule of `convotel.json`. @throws {@link UsageError} if it is invalid or incomplete */
function ruleOfSettings(
  settings: WatchRuleSettings,
  place: string,
  alertRules: AlertRules,
  filters: ConversationFilters,
  defaults: RuleDefaults,
): WatchRule {
  const { above, clearBelow, step } = settings;
  const need = (isRight: boolean, what: string): void => {
    if (!isRight) throw new UsageError(`convotel.json: ${place} ${what}.`);
  };
  const numberOf = (limit: number | string, name: string): number => {
    need(typeof limit === 'number', `must have a number as ${name}, got ${JSON.stringify(limit)}`);
    return limit as number;
  };
  const makers: Record<NonNullable<WatchRuleSettings['rule']>, (limit: number | string, name: string) => AlertRule> = {
    'error-rate': (limit, name) => {
      const abovePct = numberOf(limit, name);
      need(abovePct <= 100, `must have a percentage from 0 to 100 as ${name}, got ${abovePct}`);
      return alertRules.highErrorRate({ abovePct, filters, ...(step === undefined ? {} : { step }) });
    },
    p95: (limit, name) => {
      need(step !== undefined, 'must have a step');
      return alertRules.slowStep({ step: step as string, aboveMs: durationMs(String(limit), name), filters });
    },
    response: (limit, name) => alertRules.slowResponse({ aboveMs: durationMs(String(limit), name), filters }),
    'slow-conversations': (limit, name) => {
      const thresholdMs = durationMs(settings.threshold ?? '8s', 'threshold');
      return alertRules.slowConversations({ thresholdMs, moreThan: numberOf(limit, name), filters });
    },
    'no-conversations': () => alertRules.noConversations({ filters }),
  };
  need(settings.rule !== undefined, 'must have a rule');
  const kind = settings.rule as NonNullable<WatchRuleSettings['rule']>;
  const usual = {
    'error-rate': 10,
    p95: undefined,
    response: undefined,
    'slow-conversations': 3,
    'no-conversations': 0,
  }[kind];
  const limit = above ?? usual;
  need(limit !== undefined, 'must have above, such as "8s"');
  if (clearBelow !== undefined) {
    need(valueOf(clearBelow) <= valueOf(limit as number | string), 'must not have clearBelow above its above');
  }
  return {
    key: JSON.stringify([kind, step ?? null, limit, settings.threshold ?? null]),
    over: makers[kind](limit as number | string, 'above'),
    overLower: clearBelow === undefined ? undefined : makers[kind](clearBelow, 'clearBelow'),
    minSamples: settings.minSamples ?? defaults.minSamples,
    forMs: settings.for === undefined ? defaults.forMs : durationMs(settings.for, 'for'),
  };
}

function valueOf(limit: number | string): number {
  return typeof limit === 'number' ? limit : durationMs(limit, 'limit');
}

/** Alerts for each step whose 95th percentile is above the threshold for it, or for its kind, in `convotel.json`. */
function stepThresholds(settings: Settings, alertRules: AlertRules, filters: ConversationFilters): AlertRule {
  return {
    name: 'slow-step',
    async check(source, window) {
      const { data } = await source.ask({ name: 'step-statistics', window, filters, timings: false });
      const alerts: Alert[] = [];
      for (const { step } of data) {
        const { threshold } = limitsOf(settings, step);
        if (threshold === undefined) continue;
        const aboveMs = durationMs(threshold, 'threshold');
        alerts.push(...(await alertRules.slowStep({ step, aboveMs, filters }).check(source, window)));
      }
      return alerts;
    },
  };
}
