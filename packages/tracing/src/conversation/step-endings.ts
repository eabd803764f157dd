import { worstOutcome } from '@convotel/conventions';
import type { SpanEnding } from '../safety/end-span.ts';

interface LastAttempt {
  attempt: number;
  ending: SpanEnding;
}

/**
 * How the outermost steps of a conversation ended: the worst among the last attempts of each.
 * Keeps one entry a step name, however many steps there are.
 */
export class StepEndings {
  readonly #lastAttempts = new Map<string, LastAttempt>();
  #worstOfEarlierRuns: SpanEnding = { outcome: 'completed' };

  /** A step with a higher attempt than the last of its name takes its place; another one is a run of its own. */
  add(stepName: string, attempt: number, ending: SpanEnding): void {
    const last = this.#lastAttempts.get(stepName);
    if (last === undefined) {
      this.#lastAttempts.set(stepName, { attempt, ending });
      return;
    }
    if (attempt <= last.attempt) this.#worstOfEarlierRuns = worseOf(this.#worstOfEarlierRuns, last.ending);
    last.attempt = attempt;
    last.ending = ending;
  }

  /** The worst ending with its error; among equals the earlier. */
  worst(): SpanEnding {
    let worst = this.#worstOfEarlierRuns;
    for (const { ending } of this.#lastAttempts.values()) worst = worseOf(worst, ending);
    return worst;
  }
}

function worseOf(first: SpanEnding, second: SpanEnding): SpanEnding {
  return worstOutcome([first.outcome, second.outcome]) === first.outcome ? first : second;
}
