import type { Alert, AlertRule, ConversationFilters, ConversationSource, Window } from '@convotel/query';
import { nextConditions } from './conditions.ts';
import type { Condition, Observed } from './conditions.ts';
import type { WatchRule } from './rules.ts';
import { readState, writeState } from './state-file.ts';

/** How ongoing conditions are reported. */
export interface LastingOptions {
  /** Whether an ongoing alert is repeated each round; otherwise it is reported when it starts and when it ends. */
  repeat: boolean;
  /** File that carries the state from one run to the next. */
  statePath: string | undefined;
}

/** All rules combined into one. */
export interface LastingRule extends AlertRule {
  /** Writes the state file, if any. Call it after printing the alerts, so that none is lost in between. */
  save(): Promise<void>;
}

/**
 * Combines all rules into one that tracks conditions across rounds and, with a state file, across runs.
 * @throws `UsageError` when the state file cannot be read.
 */
export async function lastingRule(
  rules: readonly WatchRule[],
  filters: ConversationFilters,
  { repeat, statePath }: LastingOptions,
): Promise<LastingRule> {
  const forMsByKey = new Map(rules.map(({ key, forMs }) => [key, forMs]));
  const forMs = (key: string): number => forMsByKey.get((JSON.parse(key) as [string])[0]) ?? 0;
  let conditions = statePath === undefined ? new Map<string, Condition>() : await readState(statePath);
  let hasNews = false;
  const save = async (): Promise<void> => {
    if (statePath !== undefined && hasNews) await writeState(statePath, conditions);
    hasNews = false;
  };
  return {
    name: 'watch',
    async check(source, window) {
      // By now the alerts of the previous round have been printed.
      await save();
      const observed = await observe(rules, source, window, filters);
      const round = nextConditions(conditions, observed, Number(window.untilUnixNano / 1_000_000n), { forMs, repeat });
      conditions = round.conditions;
      hasNews = true;
      return round.alerts;
    },
    save,
  };
}

/** Asks every rule about the window, one after the other. */
async function observe(
  rules: readonly WatchRule[],
  source: ConversationSource,
  window: Window,
  filters: ConversationFilters,
): Promise<Observed> {
  const raised = new Map<string, Alert>();
  const held = new Set<string>();
  const keyOf = (rule: WatchRule, alert: Alert): string => JSON.stringify([rule.key, alert.evidence['step'] ?? null]);
  for (const rule of rules) {
    const isEnough = async (alert: Alert): Promise<boolean> =>
      rule.minSamples <= 1 || (await samplesOf(alert, rule.minSamples, source, window, filters)) >= rule.minSamples;
    for (const alert of await rule.over.check(source, window)) {
      if (await isEnough(alert)) raised.set(keyOf(rule, alert), alert);
      // Too few samples to start an alert are also too few to end one.
      else held.add(keyOf(rule, alert));
    }
    for (const alert of (await rule.overLower?.check(source, window)) ?? []) held.add(keyOf(rule, alert));
  }
  return { raised, held };
}

/** How many spans or conversations an alert is based on; counting stops at `enough`. */
async function samplesOf(
  { evidence }: Alert,
  enough: number,
  source: ConversationSource,
  window: Window,
  filters: ConversationFilters,
): Promise<number> {
  const spans = evidence['total'] ?? evidence['count'];
  if (typeof spans === 'number') return spans;
  // An alert that there are no conversations needs no samples.
  if (evidence['conversations'] === 0) return Number.POSITIVE_INFINITY;
  const { data } = await source.ask({ name: 'conversations', window, filters, order: 'newest', limit: enough });
  return data.length;
}
