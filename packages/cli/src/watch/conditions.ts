import type { Alert } from '@convotel/query';

/** Something that is wrong now, under a key that is the same in the next round. */
export interface Observed {
  /** Conditions that are over their limit, with what there is to say. */
  raised: ReadonlyMap<string, Alert>;
  /** Conditions that are not so far below it that an alert would be over. */
  held: ReadonlySet<string>;
}

/** What is known about one condition from earlier rounds. */
export interface Condition {
  /** When it was first seen without a break, in Unix milliseconds. */
  sinceUnixMs: number;
  /** Whether it has lasted long enough to be an alert. */
  isAlert: boolean;
  /** The latest words about it. */
  alert: Alert;
}

/** Which alerts a round has. */
export interface ConditionOptions {
  /** How long a condition must last before it is an alert. */
  forMs: (key: string) => number;
  /** Whether an alert that lasts is said again each round; else only when it begins and when it is over. */
  repeat: boolean;
}

/**
 * The conditions after a round, and what there is to say. A condition becomes an alert when it has been over its limit
 * for `forMs` without a break, and is over when it is no longer held.
 */
export function nextConditions(
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
