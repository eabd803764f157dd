import { setTimeout as wait } from 'node:timers/promises';
import { checkNumber } from '../commands/check-options.ts';
import type { ConversationSource } from '../questions.ts';
import { SourceError } from '../source-error.ts';
import { formatInstant } from '../time/format-instant.ts';
import { unlessAborted } from './unless-aborted.ts';
import type { Alert, AlertRule } from './alert.ts';
import { repeatAll, trackChanges } from './changes.ts';
import { checkRules, resolveRound, windowOf } from './round.ts';
import type { Round, RoundOptions } from './round.ts';

/** What {@link watch} is asked with. */
export interface WatchOptions extends RoundOptions {
  /** Ends the watch, at once. Without it, it ends when the loop over it does. */
  signal?: AbortSignal | undefined;
  /** Pause between the end of one round and the beginning of the next, in milliseconds. @defaultValue `300_000` */
  intervalMs?: number | undefined;
  /**
   * Whether a condition that lasts is told again each round. With `false` it is told when it begins and, as an alert of
   * severity `good`, when it is over. @defaultValue `true`
   */
  repeat?: boolean | undefined;
}

/** Longest pause that Node's timers take: 2^31 − 1 ms, almost 25 days. */
const LONGEST_INTERVAL_MS = 2_147_483_647;

/**
 * Looks at the latest window every `intervalMs` and hands over what `rules` see:
 * `for await (const alert of watch(source, rules, { signal }))`.
 *
 * Rounds never overlap: the next one waits for the last, and for whoever takes the alerts. A back end that does not
 * answer is told once (`back-end-unreachable`), asked again each round, and told once more when it is back
 * (`back-end-answers-again`). Leaving the loop or aborting ends the watch and leaves no timer behind; then the
 * iteration is done, without an error.
 * @throws `QueryError` `OPTION_OUT_OF_RANGE`; while iterating, what a rule throws that is no `SourceError`.
 */
export function watch(
  source: ConversationSource,
  rules: readonly AlertRule[],
  options: WatchOptions = {},
): AsyncIterable<Alert> {
  const { signal, intervalMs = 300_000, repeat = true } = options;
  checkNumber('intervalMs', intervalMs, 1, LONGEST_INTERVAL_MS);
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
