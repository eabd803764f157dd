import { isFailure, OUTCOMES } from '@convotel/conventions';
import type { SpanEnding } from '../guards/spans.ts';
import type { HostedStep, StepTimes } from '../step/step-host.ts';

/** Steps that are remembered at most; a conversation that fails more often than that has its newest failures judged. */
const MAX_REMEMBERED = 1000;

interface EndedStep {
  name: string;
  attempt: number;
  startedMs: number;
  endedMs: number;
  ending: SpanEnding;
  /** A step that started after this one's end was completed: the program went on and got somewhere. */
  isMadeGood: boolean;
}

interface Retry {
  name: string;
  attempt: number;
  startedMs: number;
}

/**
 * How a conversation ended that was not told: the outcome of an outermost step that failed, was not retried, and after
 * whose end no outermost step started that was completed; otherwise `interrupted` when the outermost step that ended
 * last was; otherwise `completed`. Of several failures the worst counts, of equal ones the earlier.
 */
export class ConversationOutcome {
  /** Outermost steps that did not complete, by their end. */
  readonly #notCompleted: EndedStep[] = [];
  readonly #retries: Retry[] = [];
  /** Whether some may not be made good yet; a long conversation does not search them at each step. */
  #hasOpenFailures = false;
  /** Of the outermost step that ended last. */
  #lastEndedMs = Number.NEGATIVE_INFINITY;
  #isLastInterrupted = false;
  #lastReason: string | undefined;

  /** Why the conversation was interrupted, where the step that ended last said so. */
  get interruptionReason(): string | undefined {
    return this.#isLastInterrupted ? this.#lastReason : undefined;
  }

  /** Takes an outermost step that is over. */
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
      if (this.#hasOpenFailures) this.#makeGood(startedMs);
    } else this.#remember({ name, attempt, startedMs, endedMs, ending, isMadeGood: false });
  }

  #makeGood(startedMs: number): void {
    this.#hasOpenFailures = false;
    for (const step of this.#notCompleted) {
      if (step.endedMs <= startedMs) step.isMadeGood = true;
      else if (!step.isMadeGood) this.#hasOpenFailures = true;
    }
  }

  #remember(step: EndedStep): void {
    this.#hasOpenFailures = true;
    this.#notCompleted.push(step);
    if (this.#notCompleted.length <= MAX_REMEMBERED) return;
    const settled = this.#notCompleted.findIndex(({ isMadeGood }) => isMadeGood);
    this.#notCompleted.splice(Math.max(settled, 0), 1);
  }

  ending(): SpanEnding {
    const retried = this.#retriedSteps();
    let worst: SpanEnding | undefined;
    for (const step of this.#notCompleted) {
      const { ending } = step;
      if (!isFailure(ending.outcome) || step.isMadeGood || retried.has(step)) continue;
      if (worst === undefined || rankOf(ending) < rankOf(worst)) worst = ending;
    }
    if (worst !== undefined) return worst;
    return { outcome: this.#isLastInterrupted ? 'interrupted' : 'completed' };
  }

  /** In order of start, attempt k + 1 retries the latest attempt k of its name that did not complete and was not retried yet. */
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

/** Errors that are remembered at most. */
const MAX_JUDGED = 8;
/** Errors along `cause` that are compared. */
const MAX_CAUSES = 8;

/**
 * How errors ended steps. The same error ends what is around a step too, unless it is caught: an interruption that was
 * none by the error's name stays one, and a step's own classifier speaks for the conversation.
 */
export class JudgedErrors {
  #judged: { error: unknown; step: HostedStep; ending: SpanEnding }[] | undefined;

  add(error: unknown, step: HostedStep, ending: SpanEnding): void {
    this.#judged ??= [];
    this.#judged.push({ error, step, ending });
    if (this.#judged.length > MAX_JUDGED) this.#judged.shift();
  }

  /** The ending of the step, inside `step` where that is given, that `error` or one of its causes ended last. */
  find(error: unknown, step: HostedStep | undefined): SpanEnding | undefined {
    if (this.#judged === undefined) return undefined;
    const candidates = step === undefined ? this.#judged : this.#judged.filter((judged) => isInside(judged.step, step));
    let cause = error;
    for (let count = 0; count < MAX_CAUSES && cause !== undefined; count += 1) {
      const judged = candidates.findLast((each) => Object.is(each.error, cause));
      if (judged !== undefined) return judged.ending;
      cause = causeOf(cause);
    }
    return undefined;
  }
}

function isInside(step: HostedStep, outer: HostedStep): boolean {
  for (let around = step.enclosing; around !== undefined; around = around.enclosing) {
    if (around === outer) return true;
  }
  return false;
}

function causeOf(error: unknown): unknown {
  try {
    return error instanceof Object ? (error as { cause?: unknown }).cause : undefined;
  } catch {
    // A getter or Proxy that throws; nothing is known below it.
    return undefined;
  }
}
