import type { Alert } from './alert.ts';

/** Passes on what is new since the last round. */
export interface Changes {
  /** Of one round's `alerts` those that begin with it, and a good-news alert at `time` for each that is over. */
  since(alerts: readonly Alert[], time: string): Alert[];
}

/** Tells conditions apart by their rule and step: the numbers of a lasting one change from round to round. */
export function trackChanges(): Changes {
  let lasting = new Map<string, Alert>();
  return {
    since(alerts, time) {
      const present = new Map(alerts.map((alert) => [conditionOf(alert), alert]));
      const begun = [...present].filter(([condition]) => !lasting.has(condition)).map(([, alert]) => alert);
      const over = [...lasting].filter(([condition]) => !present.has(condition)).map(([, alert]) => alert);
      lasting = present;
      return [
        ...begun,
        ...over.map((alert): Alert => ({ ...alert, severity: 'good', text: `OVER: ${alert.text}`, time })),
      ];
    },
  };
}

function conditionOf({ rule, evidence }: Alert): string {
  return JSON.stringify([rule, evidence['step'] ?? null]);
}
