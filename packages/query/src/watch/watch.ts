import { setTimeout as wait } from 'node:timers/promises';
import { checkNumber } from '../answers/options.ts';
import type { ConversationSource } from '../questions.ts';
import { SourceError } from '../source-error.ts';
import { formatInstant } from '../time/instant.ts';
import type { Alert, AlertRule } from './alert.ts';
import { checkRules, repeatAll, resolveRound, trackChanges, windowOf } from './round.ts';
import type { Round, RoundOptions } from './round.ts';

/** What {@link watch} is asked with. */
export interface WatchOptions extends RoundOptions {
  /** Ends the watch, at once. Without it, it ends when the loop over it does. */
  signal?: AbortSignal | undefined;
  /** Pause between the end of one round and the beginning of the next, in milliseconds. @defaultValue `300_000` */
  intervalMs?: number | undefined;
  /**
   * Whether a condition that lasts is reported again each round. With `false` it is reported when it begins and, as an
   * alert of severity `good`, when it is over. @defaultValue `true`
   */
  repeat?: boolean | undefined;
}

/** The longest pause that Node's timers take: 2^31 − 1 ms, almost 25 days. */
const MAX_INTERVAL_MS = 2_147_483_647;

/**
 * Looks at the latest window every `intervalMs` and yields what `rules` see:
 * `for await (const alert of watch(source, rules, { signal }))`.
 *
 * Rounds never overlap: the next one waits for the last, and for the loop over the alerts. A back end that does not
 * answer is reported once (`back-end-unreachable`), asked again each round, and reported once more when it is back
 * (`back-end-answers-again`). Leaving the loop or aborting ends the watch and leaves no timer behind; the iteration is
 * then done, without an error.
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
      // A generator handles return() only when it is not waiting, so leaving aborts the wait first.
      const left = new AbortController();
      const ended = signal === undefined ? left.signal : AbortSignal.any([signal, left.signal]);
      const alerts = alertsUntil(ended, source, rules, round, intervalMs, repeat);
      return {
        next: () => alerts.next(),
        return: () => {
          left.abort();
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
 * What `promise` resolves to; undefined as soon as `signal` is aborted, whether `promise` has settled by then or not.
 * How it settles after that, also with an error, is ignored.
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
    // After an abort these come too late to settle anything.
    promise.then(
      (value) => finish(() => resolve(value)),
      (error: unknown) => finish(() => reject(error)),
    );
  });
}
