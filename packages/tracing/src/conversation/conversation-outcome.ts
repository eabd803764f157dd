import { isFailure, OUTCOMES } from '@convotel/conventions';
import type { SpanEnding } from '../guards/spans.ts';
import type { HostedStep, StepTimes } from '../step/step-host.ts';

/** Maximum number of failed steps, and of retries, that are remembered; beyond it the newest count. */
const MAX_REMEMBERED = 1000;

interface EndedStep {
  name: string;
  attempt: number;
  startedMs: number;
  endedMs: number;
  ending: SpanEnding;
}

interface Retry {
  name: string;
  attempt: number;
  startedMs: number;
}

/**
 * The outcome of a conversation whose program passed none. It is that of an outermost step that failed, was not
 * retried, and was not followed by an outermost step that completed; otherwise `interrupted` if the outermost step that
 * ended last was interrupted; otherwise `completed`. Of several failures the most severe counts, of equal ones the
 * earliest.
 */
export class ConversationOutcome {
  /** Outermost steps that did not complete, in order of end. */
  readonly #notCompleted: EndedStep[] = [];
  readonly #retries: Retry[] = [];
  /** When the latest outermost step that completed started. */
  #lastCompletedStartMs = Number.NEGATIVE_INFINITY;
  /** This and the next two are of the outermost step that ended last. */
  #lastEndedMs = Number.NEGATIVE_INFINITY;
  #isLastInterrupted = false;
  #lastReason: string | undefined;

  /** The interruption reason of the outermost step that ended last, if it was interrupted. */
  get interruptionReason(): string | undefined {
    return this.#isLastInterrupted ? this.#lastReason : undefined;
  }

  /** Adds an outermost step that ended. */
  add({ name, attempt, interruptionReason }: HostedStep, { startedMs, endedMs }: StepTimes, ending: SpanEnding): void {
    if (endedMs >= this.#lastEndedMs) {
      this.#lastEndedMs = endedMs;
      this.#isLastInterrupted = ending.outcome === 'interrupted';
      this.#lastReason = interruptionReason;
    }
    if (attempt > 1) {
      this.#retries.push({ name, attempt, startedMs });
      if (this.#retries.length > MAX_REMEMBERED) this.#retries.shift();
    }
    if (ending.outcome === 'completed') {
      this.#lastCompletedStartMs = Math.max(this.#lastCompletedStartMs, startedMs);
      return;
    }
    this.#notCompleted.push({ name, attempt, startedMs, endedMs, ending });
    if (this.#notCompleted.length <= MAX_REMEMBERED) return;
    const settled = this.#notCompleted.findIndex((step) => this.#isRecovered(step));
    this.#notCompleted.splice(Math.max(settled, 0), 1);
  }

  /** Whether the program recovered: a step that started after the end of this one completed. */
  #isRecovered({ endedMs }: EndedStep): boolean {
    return endedMs <= this.#lastCompletedStartMs;
  }

  ending(): SpanEnding {
    const retried = this.#retriedSteps();
    let worst: SpanEnding | undefined;
    for (const step of this.#notCompleted) {
      const { ending } = step;
      if (!isFailure(ending.outcome) || this.#isRecovered(step) || retried.has(step)) continue;
      if (worst === undefined || rankOf(ending) < rankOf(worst)) worst = ending;
    }
    if (worst !== undefined) return worst;
    return { outcome: this.#isLastInterrupted ? 'interrupted' : 'completed' };
  }

  /**
   * In order of start, attempt k + 1 retries the latest attempt k with the same name that did not complete and was not
   * retried yet.
   */
  #retriedSteps(): Set<EndedStep> {
    const retried = new Set<EndedStep>();
    for (const retry of this.#retries.toSorted((first, second) => first.startedMs - second.startedMs)) {
      let latest: EndedStep | undefined;
      for (const step of this.#notCompleted) {
        const isCandidate =
          step.name === retry.name &&
          step.attempt === retry.attempt - 1 &&
          step.startedMs <= retry.startedMs &&
          !retried.has(step);
        if (isCandidate && (latest === undefined || step.startedMs >= latest.startedMs)) latest = step;
      }
      if (latest !== undefined) retried.add(latest);
    }
    return retried;
  }
}

function rankOf({ outcome }: SpanEnding): number {
  return OUTCOMES.indexOf(outcome);
}

/** Maximum number of errors that are remembered. */
const MAX_CLASSIFIED_ERRORS = 8;
/** Maximum length of a chain of `cause`s that is compared. */
const MAX_CAUSES = 8;

/**
 * How errors ended steps. Unless it is caught, the same error also ends the enclosing steps and the conversation. They
 * get the same outcome, even if it came from an `interrupted()` call or from the step's own classifier.
 */
export class ClassifiedErrors {
  #entries: { error: unknown; step: HostedStep; ending: SpanEnding }[] | undefined;

  add(error: unknown, step: HostedStep, ending: SpanEnding): void {
    this.#entries ??= [];
    this.#entries.push({ error, step, ending });
    if (this.#entries.length > MAX_CLASSIFIED_ERRORS) this.#entries.shift();
  }

  /** How `error` or one of its causes ended a step last; only steps inside `step` count, if that is given. */
  find(error: unknown, step: HostedStep | undefined): SpanEnding | undefined {
    if (this.#entries === undefined) return undefined;
    const candidates = step === undefined ? this.#entries : this.#entries.filter((entry) => isInside(entry.step, step));
    let cause = error;
    for (let count = 0; count < MAX_CAUSES && cause !== undefined; count += 1) {
      const entry = candidates.findLast((each) => Object.is(each.error, cause));
      if (entry !== undefined) return entry.ending;
      cause = causeOf(cause);
    }
    return undefined;
  }
}

function isInside(step: HostedStep, outer: HostedStep): boolean {
  for (let enclosing = step.enclosing; enclosing !== undefined; enclosing = enclosing.enclosing) {
    if (enclosing === outer) return true;
  }
  return false;
}

function causeOf(error: unknown): unknown {
  try {
    return error instanceof Object ? (error as { cause?: unknown }).cause : undefined;
  } catch {
    // A getter or Proxy that throws: the chain of causes ends here.
    return undefined;
  }
}
