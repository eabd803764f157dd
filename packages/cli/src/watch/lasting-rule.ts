import type { Alert, AlertRule, ConversationFilters, ConversationSource, Window } from '@convotel/query';
import { nextConditions } from './conditions.ts';
import type { Condition, Observed } from './conditions.ts';
import type { WatchRule } from './rules.ts';
import { readState, writeState } from './state-file.ts';

/** How conditions that last are reported. */
export interface LastingOptions {
  /** Whether an alert that lasts is said again each round; else only when it begins and when it is over. */
  repeat: boolean;
  /** Keeps what is known from run to run. */
  statePath: string | undefined;
}

/** All rules as one. */
export interface LastingRule extends AlertRule {
  /** Writes the state file, if there is one: after the alerts were printed, so that none is lost in between. */
  save(): Promise<void>;
}

/**
 * All rules as one, which remembers what lasts from round to round and, with a state file, from run to run.
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
      // By the next round, the alerts of the last one have been taken.
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
      // Too few to begin an alert are too few to end one.
      else held.add(keyOf(rule, alert));
    }
    for (const alert of (await rule.overLower?.check(source, window)) ?? []) held.add(keyOf(rule, alert));
  }
  return { raised, held };
}

/** How many spans, or conversations, an alert rests on; more than `enough` need not be counted. */
async function samplesOf(
  { evidence }: Alert,
  enough: number,
  source: ConversationSource,
  window: Window,
  filters: ConversationFilters,
): Promise<number> {
  const spans = evidence['total'] ?? evidence['count'];
  if (typeof spans === 'number') return spans;
  // An alert about there being none rests on nothing else.
  if (evidence['conversations'] === 0) return Number.POSITIVE_INFINITY;
  const { data } = await source.ask({ name: 'conversations', window, filters, order: 'newest', limit: enough });
  return data.length;
}
