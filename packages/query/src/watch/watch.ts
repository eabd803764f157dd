import { setTimeout as wait } from 'node:timers/promises';
import { nanosecondsOf } from '../answers/intervals.ts';
import { checkNumber } from '../answers/report.ts';
import { SourceError } from '../errors.ts';
import type { Window } from '../model/conversation.ts';
import type { ConversationSource } from '../questions.ts';
import { formatInstant } from '../time/instant.ts';
import type { Alert, AlertRule } from './alert-rules.ts';

/** Options of one round. */
export interface RoundOptions {
  /** Length of the window, which ends now, in milliseconds. @defaultValue `3_600_000` */
  windowMs?: number | undefined;
  /** Returns the current time. @defaultValue the system's clock */
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

/** The window that ends now, by the clock of `round`. */
export function windowOf(round: Round): Window {
  const untilUnixNano = BigInt(round.clock().getTime()) * 1_000_000n;
  return { sinceUnixNano: untilUnixNano - nanosecondsOf(round.windowMs), untilUnixNano };
}

/**
 * One round of `watch`: the alerts of all `rules` for the window that ends now.
 * @throws `QueryError` `OPTION_OUT_OF_RANGE`; `SourceError` if the back end cannot be reached.
 */
export async function watchOnce(
  source: ConversationSource,
  rules: readonly AlertRule[],
  options: RoundOptions = {},
): Promise<Alert[]> {
  const raised = await checkRules(source, rules, windowOf(resolveRound(options)));
  return raised.map(({ alert }) => alert);
}

/** An alert, and the key of its condition, which is the same in the next round if the condition persists. */
export interface Raised {
  condition: string;
  alert: Alert;
}

/** Runs all rules for `window`, one after another. */
export async function checkRules(
  source: ConversationSource,
  rules: readonly AlertRule[],
  window: Window,
): Promise<Raised[]> {
  const raised: Raised[] = [];
  for (const [index, rule] of rules.entries()) {
    for (const alert of await rule.check(source, window)) {
      // Numbers and text change from round to round. The index distinguishes rules with the same name and other limits.
      raised.push({ condition: JSON.stringify([index, alert.evidence['step'] ?? null]), alert });
    }
  }
  return raised;
}

/** Selects the alerts to report in each round. */
export interface Changes {
  /**
   * Takes all alerts of one round and returns those to report: with {@link trackChanges} those of new conditions, and
   * an alert of severity `good` at `time` for each condition that is over.
   */
  since(raised: readonly Raised[], time: string): Alert[];
}

/** Reports only changes since the previous round. In the first round every condition is new. */
export function trackChanges(): Changes {
  let ongoing = new Map<string, Alert>();
  return {
    since(raised, time) {
      const present = new Map(raised.map(({ condition, alert }) => [condition, alert]));
      const begun = raised.filter(({ condition }) => !ongoing.has(condition)).map(({ alert }) => alert);
      const over = [...ongoing].filter(([condition]) => !present.has(condition)).map(([, alert]) => alert);
      ongoing = present;
      return [
        ...begun,
        ...over.map((alert): Alert => ({ ...alert, severity: 'good', text: `OVER: ${alert.text}`, time })),
      ];
    },
  };
}

/** Reports every alert in every round. */
export function repeatAll(): Changes {
  return { since: (raised) => raised.map(({ alert }) => alert) };
}

/** Options of {@link watch}. */
export interface WatchOptions extends RoundOptions {
  /** Ends the watch at once when it is aborted. Without it, the watch ends when the loop over it does. */
  signal?: AbortSignal | undefined;
  /** Pause between the end of one round and the start of the next, in milliseconds. @defaultValue `300_000` */
  intervalMs?: number | undefined;
  /**
   * Whether an ongoing condition is reported again in each round. With `false` it is reported when it starts and, as an
   * alert of severity `good`, when it is over.
   * @defaultValue `true`
   */
  repeat?: boolean | undefined;
}

/** The longest delay that Node's timers support: 2^31 − 1 ms, almost 25 days. */
const MAX_INTERVAL_MS = 2_147_483_647;

/**
 * Checks `rules` for the latest window every `intervalMs`, and yields their alerts: `for await (const alert of
 * watch(source, rules, { signal }))`.
 *
 * Rounds never overlap: the next one waits for the previous one, and for the loop over its alerts. A back end that does
 * not answer is reported once (`back-end-unreachable`), queried again in each round, and reported once more when it
 * answers again (`back-end-answers-again`). Exiting the loop, or an abort, ends the watch and its timer; the iteration
 * is then done, without an error.
 * @throws `QueryError` `OPTION_OUT_OF_RANGE`; while iterating, any error of a rule that is not a `SourceError`.
 */
export function watch(
  source: ConversationSource,
  rules: readonly AlertRule[],
  options: WatchOptions = {},
): AsyncIterable<Alert> {
  const { signal, intervalMs = 300_000, repeat = true } = options;
  checkNumber('intervalMs', intervalMs, 1, MAX_INTERVAL_MS);
  const round = resolveRound(options);
  return {
    [Symbol.asyncIterator](): AsyncIterator<Alert, void> {
      // A generator that awaits something does not handle return() until it settles, so the wait is aborted first.
      const returned = new AbortController();
      const ended = signal === undefined ? returned.signal : AbortSignal.any([signal, returned.signal]);
      const alerts = alertsUntil(ended, source, rules, round, intervalMs, repeat);
      return {
        next: () => alerts.next(),
        return: () => {
          returned.abort();
          return alerts.return();
        },
      };
    },
  };
}

async function* alertsUntil(
  ended: AbortSignal,
  source: ConversationSource,
  rules: readonly AlertRule[],
  round: Round,
  intervalMs: number,
  repeat: boolean,
): AsyncGenerator<Alert, void> {
  const changes = repeat ? repeatAll() : trackChanges();
  let isReachable = true;
  while (!ended.aborted) {
    const window = windowOf(round);
    const time = formatInstant(window.untilUnixNano);
    const found = await unlessAborted(
      ended,
      checkRules(source, rules, window).catch((error: unknown) => {
        if (error instanceof SourceError) return error;
        throw error;
      }),
    );
    if (found === undefined) return;
    const alerts: Alert[] = [];
    if (found instanceof SourceError) {
      if (isReachable) alerts.push(unreachable(source, found, time));
    } else {
      if (!isReachable) alerts.push(answersAgain(source, time));
      alerts.push(...changes.since(found, time));
    }
    isReachable = !(found instanceof SourceError);
    for (const alert of alerts) {
      if (ended.aborted) return;
      yield alert;
    }
    await unlessAborted(ended, wait(intervalMs, undefined, { signal: ended }));
  }
}

function unreachable(source: ConversationSource, error: SourceError, time: string): Alert {
  return {
    rule: 'back-end-unreachable',
    severity: 'problem',
    text: `BACK END UNREACHABLE: ${error.message}`,
    evidence: { location: source.location, code: error.code },
    time,
  };
}

function answersAgain(source: ConversationSource, time: string): Alert {
  return {
    rule: 'back-end-answers-again',
    severity: 'good',
    text: `BACK END ANSWERS AGAIN: ${source.location}`,
    evidence: { location: source.location },
    time,
  };
}

/**
 * The value of `promise`, or undefined as soon as `signal` is aborted. How `promise` settles after that, even with an
 * error, is ignored.
 */
function unlessAborted<T>(signal: AbortSignal, promise: Promise<T>): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const abort = (): void => resolve(undefined);
    const finish = (settle: () => void): void => {
      signal.removeEventListener('abort', abort);
      settle();
    };
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
    // After an abort these have no effect.
    promise.then(
      (value) => finish(() => resolve(value)),
      (error: unknown) => finish(() => reject(error)),
    );
  });
}
