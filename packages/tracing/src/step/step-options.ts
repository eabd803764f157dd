import type { Attributes } from '@opentelemetry/api';
import type { Outcome } from '@convotel/conventions';
import type { ResultOptions } from '../results/result-observer.ts';

/** What is known about a step before it runs. */
export interface StepOptions extends ResultOptions {
  /** The text that the step works on. Its length is always kept, the text only with content capture. */
  input?: string;
  /** Model that is asked for, such as `gpt-5`. */
  model?: string;
  /** Provider of the model, such as `openai` (GenAI semantic conventions, `gen_ai.provider.name`). */
  provider?: string;
  /** Which try this is, 1-based. @defaultValue `1`, which is not written to the span */
  attempt?: number;
  /** `client` where the step is a call to another program. @defaultValue `'internal'` */
  kind?: 'internal' | 'client';
  /**
   * What the step does, in the words of the GenAI semantic conventions (`gen_ai.operation.name`).
   * @defaultValue what the step's name stands for: `chat` for `gpt`, `speech_to_text` for `stt`, …; else none
   */
  operation?: string;
  /** Attributes of the program's own. Values that OpenTelemetry cannot carry are left out. */
  attributes?: Attributes;
}

/** Tokens that a model counted. */
export interface TokenUsage {
  inputTokens?: number;
  outputTokens?: number;
}

/** The step, as the function that runs it sees it. None of its functions throws; after the step's end they do nothing. */
export interface Step {
  /** Sets the text that the step works on, where it was not known before. */
  input(text: string): void;
  /** Sets the step's output text; without it, a returned string counts as output. */
  output(text: string): void;
  /** Sets the tokens that the model counted. */
  usage(usage: TokenUsage): void;
  /** Sets the length of a named part of the step, such as `queue_wait`: `step.timing('queue_wait', { seconds: 0.08 })`. */
  timing(part: string, length: { seconds: number }): void;
  /** Marks the present as the moment of the step's first output; only the first call counts. */
  firstOutput(): void;
  /** Sets attributes of the program's own. Values that OpenTelemetry cannot carry are left out. */
  set(attributes: Attributes): void;
  /** Marks the step as interrupted: somebody spoke over it, or it was left early. It goes on until its function is over. */
  interrupted(reason?: string): void;
}

/** A step that is already over. Times are `Date`s or milliseconds since the epoch, fractions allowed. */
export interface RecordedStep extends StepOptions {
  startTime: Date | number;
  endTime: Date | number;
  /** @defaultValue what `error` says, else `completed` */
  outcome?: Outcome;
  /** What ended the step, where it was an error. */
  error?: unknown;
  output?: string;
  usage?: TokenUsage;
  /** Lengths of the step's named parts, in seconds. */
  timings?: Readonly<Record<string, number>>;
  /** From the step's start to its first output, in seconds. */
  timeToFirstOutputSeconds?: number;
}
