import type { Alert } from '@convotel/query';

/** What one round sees. A key identifies a condition across rounds. */
export interface Observed {
  /** Conditions above their limit, with the alert for each. */
  raised: ReadonlyMap<string, Alert>;
  /** Conditions that keep an existing alert going although they are not above their limit. */
  held: ReadonlySet<string>;
}

/** One condition, as earlier rounds saw it. */
export interface Condition {
  /** When it was first seen without a break, in Unix milliseconds. */
  sinceUnixMs: number;
  /** Whether it has lasted long enough to be an alert. */
  isAlert: boolean;
  /** The latest alert about it. */
  alert: Alert;
}

/** When a condition is reported. */
export interface ConditionOptions {
  /** How long a condition must last before it is an alert. */
  forMs: (key: string) => number;
  /** Whether an ongoing alert is repeated each round; otherwise it is reported when it starts and when it ends. */
  repeat: boolean;
}

/**
 * The conditions after a round, and the alerts to report. A condition becomes an alert once it has stayed above its limit
 * for `forMs`, and ends when it is neither raised nor held.
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
