import { checkNumber } from '../answers/options.ts';
import { nanosecondsOf } from '../answers/numbers.ts';
import type { Window } from '../model/window.ts';
import type { ConversationSource } from '../questions.ts';
import type { Alert, AlertRule } from './alert.ts';

/** What one round looks at. */
export interface RoundOptions {
  /** Length of the window, which ends now, in milliseconds. @defaultValue `3_600_000` */
  windowMs?: number | undefined;
  /** The present. @defaultValue the system's clock */
  clock?: (() => Date) | undefined;
}

/** {@link RoundOptions} with every default filled in. */
export interface Round {
  windowMs: number;
  clock: () => Date;
}

/** @throws `QueryError` `OPTION_OUT_OF_RANGE` */
export function resolveRound(options: RoundOptions): Round {
  const { windowMs = 3_600_000, clock = () => new Date() } = options;
  checkNumber('windowMs', windowMs, 1);
  return { windowMs, clock };
}

/** The window that ends at the present of `round`. */
export function windowOf(round: Round): Window {
  const untilUnixNano = BigInt(round.clock().getTime()) * 1_000_000n;
  return { sinceUnixNano: untilUnixNano - nanosecondsOf(round.windowMs), untilUnixNano };
}

/**
 * One round of `watch`: the alerts of all `rules` for the window that ends now.
 * @throws `QueryError` `OPTION_OUT_OF_RANGE`; `SourceError` when the back end cannot be reached.
 */
export async function watchOnce(
  source: ConversationSource,
  rules: readonly AlertRule[],
  options: RoundOptions = {},
): Promise<Alert[]> {
  const raised = await checkRules(source, rules, windowOf(resolveRound(options)));
  return raised.map(({ alert }) => alert);
}

/** An alert, and the condition that it reports: the same in the next round when the condition lasts. */
export interface Raised {
  condition: string;
  alert: Alert;
}

/** Asks every rule about `window`, one after the other. */
export async function checkRules(
  source: ConversationSource,
  rules: readonly AlertRule[],
  window: Window,
): Promise<Raised[]> {
  const raised: Raised[] = [];
  for (const [index, rule] of rules.entries()) {
    for (const alert of await rule.check(source, window)) {
      // Numbers and text change from round to round. The index tells apart rules of one name with different limits.
      raised.push({ condition: JSON.stringify([index, alert.evidence['step'] ?? null]), alert });
    }
  }
  return raised;
}

/** Passes on what is new since the last round. */
export interface Changes {
  /** Of one round's alerts those whose condition begins, and an alert of severity `good` at `time` for each that is over. */
  since(raised: readonly Raised[], time: string): Alert[];
}

/** Remembers the conditions of the last round; to the first round everything is new. */
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
