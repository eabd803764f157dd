import type { Alert } from './alert.ts';
import type { Raised } from './round.ts';

/** Passes on what is new since the last round. */
export interface Changes {
  /** Of one round's alerts those whose condition begins, and a good-news alert at `time` for each that is over. */
  since(raised: readonly Raised[], time: string): Alert[];
}

/** Remembers the conditions of the last round; the first one finds everything new. */
export function trackChanges(): Changes {
  let lasting = new Map<string, Alert>();
  return {
    since(raised, time) {
      const present = new Map(raised.map(({ condition, alert }) => [condition, alert]));
      const begun = raised.filter(({ condition }) => !lasting.has(condition)).map(({ alert }) => alert);
      const over = [...lasting].filter(([condition]) => !present.has(condition)).map(([, alert]) => alert);
      lasting = present;
      return [
        ...begun,
        ...over.map((alert): Alert => ({ ...alert, severity: 'good', text: `OVER: ${alert.text}`, time })),
      ];
    },
  };
}

/** Passes everything on, round after round. */
export function repeatAll(): Changes {
  return { since: (raised) => raised.map(({ alert }) => alert) };
}
