import { nanosecondsOf } from '../analytics/milliseconds.ts';
import { checkNumber } from '../commands/check-options.ts';
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

/** {@link RoundOptions} with nothing left open. */
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

/** An alert, and the condition that it tells of: the same in the next round when the condition lasts. */
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
      // Numbers and text change from round to round. The index tells rules of one name with other limits apart.
      raised.push({ condition: JSON.stringify([index, alert.evidence['step'] ?? null]), alert });
    }
  }
  return raised;
}
