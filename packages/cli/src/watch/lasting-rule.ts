import { open, readFile, rename } from 'node:fs/promises';
import type { Alert, AlertRule, ConversationFilters, ConversationSource, Window } from '@convotel/query';
import { UsageError } from '../terminal.ts';
import type { WatchRule } from './rules.ts';

/** How ongoing conditions are reported. */
export interface LastingOptions {
  /** Whether an ongoing alert is repeated each round; otherwise it is reported when it starts and when it ends. */
  repeat: boolean;
  /** File that stores the state between runs. */
  statePath: string | undefined;
  /** Called with a sentence if the state was lost, so that ongoing alerts are reported once more. */
  warn(message: string): void;
}

export interface LastingRule extends AlertRule {
  /** Writes the state file, if any. Call this after printing the alerts, so that none is lost. */
  save(): Promise<void>;
}

/**
 * Combines all rules into one that tracks conditions across rounds and, with a state file, across runs.
 * @throws `UsageError` if the state file cannot be read.
 */
export async function lastingRule(
  rules: readonly WatchRule[],
  filters: ConversationFilters,
  { repeat, statePath, warn }: LastingOptions,
): Promise<LastingRule> {
  const forMsByKey = new Map(rules.map(({ key, forMs }) => [key, forMs]));
  const forMs = (key: string): number => forMsByKey.get((JSON.parse(key) as [string])[0]) ?? 0;
  let conditions = statePath === undefined ? new Map<string, Condition>() : await readState(statePath, warn);
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

/** Checks every rule, one after the other. */
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
      // If there are too few samples to start an alert, there are also too few to end one.
      else held.add(keyOf(rule, alert));
    }
    for (const alert of (await rule.overLower?.check(source, window)) ?? []) held.add(keyOf(rule, alert));
  }
  return { raised, held };
}

/** Number of spans or conversations that an alert is based on; counting stops at `enough`. */
async function samplesOf(
  { evidence }: Alert,
  enough: number,
  source: ConversationSource,
  window: Window,
  filters: ConversationFilters,
): Promise<number> {
  const spans = evidence['total'] ?? evidence['count'];
  if (typeof spans === 'number') return spans;
  // The alert that there are no conversations needs no samples.
  if (evidence['conversations'] === 0) return Number.POSITIVE_INFINITY;
  const { data } = await source.ask({ name: 'conversations', window, filters, order: 'newest', limit: enough });
  return data.length;
}

/** The result of one round. A key identifies a condition across rounds. */
interface Observed {
  /** Conditions above their limit, with the alert for each. */
  raised: ReadonlyMap<string, Alert>;
  /** Conditions that are not above their limit, but keep an existing alert active. */
  held: ReadonlySet<string>;
}

/** One condition, as of the last round. */
interface Condition {
  /** Start of the current uninterrupted period, in Unix milliseconds. */
  sinceUnixMs: number;
  /** Whether it has lasted long enough to be an alert. */
  isAlert: boolean;
  /** The latest alert about it. */
  alert: Alert;
}

/** When a condition is reported. */
interface ConditionOptions {
  /** How long a condition must last before it is an alert. */
  forMs: (key: string) => number;
  /** Whether an ongoing alert is repeated each round; otherwise it is reported when it starts and when it ends. */
  repeat: boolean;
}

/**
 * The conditions after a round, and the alerts to report. A condition becomes an alert once it has stayed above its limit
 * for `forMs`, and ends when it is neither raised nor held.
 */
function nextConditions(
  earlier: ReadonlyMap<string, Condition>,
  { raised, held }: Observed,
  nowUnixMs: number,
  { forMs, repeat }: ConditionOptions,
): { conditions: Map<string, Condition>; alerts: Alert[] } {
  const conditions = new Map<string, Condition>();
  const alerts: Alert[] = [];
  for (const [key, alert] of raised) {
    const known = earlier.get(key);
    const sinceUnixMs = known?.sinceUnixMs ?? nowUnixMs;
    const wasAlert = known?.isAlert ?? false;
    const isAlert = wasAlert || nowUnixMs - sinceUnixMs >= forMs(key);
    conditions.set(key, { sinceUnixMs, isAlert, alert });
    if (isAlert && (repeat || !wasAlert)) alerts.push(alert);
  }
  for (const [key, condition] of earlier) {
    if (raised.has(key) || !condition.isAlert) continue;
    if (held.has(key)) {
      conditions.set(key, condition);
      if (repeat) alerts.push(condition.alert);
    } else if (!repeat) {
      const time = new Date(nowUnixMs).toISOString().replace('Z', '000Z');
      alerts.push({ ...condition.alert, severity: 'good', text: `OVER: ${condition.alert.text}`, time });
    }
  }
  return { conditions, alerts };
}

const VERSION = 1;

interface State {
  version: typeof VERSION;
  conditions: Record<string, Condition>;
}

/**
 * Reads the conditions that an earlier `watch` stored in `path`; none if there is no such file, or if it is empty, as a
 * file system may leave it after a power failure.
 * @throws {@link UsageError} if the file was not written by `watch`.
 */
async function readState(path: string, warn: LastingOptions['warn']): Promise<Map<string, Condition>> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new Map();
    throw new UsageError(`--state cannot be read: ${(error as Error).message}.`, { cause: error });
  }
  if (/^\0*$/.test(text)) {
    warn(`--state ${path} is empty, so what was said before is not known: ongoing alerts are said once more.`);
    return new Map();
  }
  const state = parsed(text);
  if (!isState(state)) {
    throw new UsageError(`--state ${path} is not a state file of watch. Give another one, or delete it to start over.`);
  }
  return new Map(Object.entries(state.conditions));
}

/** Writes `conditions` to a temporary file, flushes it and renames it to `path`, so that the file is never incomplete. */
async function writeState(path: string, conditions: ReadonlyMap<string, Condition>): Promise<void> {
  const state: State = { version: VERSION, conditions: Object.fromEntries(conditions) };
  const written = `${path}.${process.pid}.new`;
  try {
    const file = await open(written, 'w');
    try {
      await file.writeFile(`${JSON.stringify(state, null, 2)}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(written, path);
  } catch (error) {
    throw new UsageError(`--state cannot be written: ${(error as Error).message}.`, { cause: error });
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isState(value: unknown): value is State {
  if (typeof value !== 'object' || value === null) return false;
  const { version, conditions } = value as Partial<State>;
  if (version !== VERSION || typeof conditions !== 'object' || conditions === null) return false;
  return Object.values(conditions).every(
    (each) => typeof each === 'object' && typeof each?.sinceUnixMs === 'number' && typeof each.alert?.text === 'string',
  );
}
