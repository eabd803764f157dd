import {
  ATTRIBUTE,
  OPERATION_BY_STEP_KIND,
  processSettings,
  STEP_TIMING_PREFIX,
  stepKindOf,
} from '@convotel/conventions';
import type { StepKind } from '@convotel/conventions';
import type { Attributes } from '@opentelemetry/api';
import { eachAttribute } from '../guards/untrusted-values.ts';
import type { ResultDetails } from '../results/recognized/client.ts';
import type { ModelUsage, StepOptions } from './step-options.ts';

/** Attributes of the conventions. They are written before the program's own, which OpenTelemetry drops first. */
const OWN_NAMES: ReadonlySet<string> = new Set(Object.values(ATTRIBUTE));

/** Set by convotel when a root or a step starts; attributes of the program never replace them. */
const IDENTITY_NAMES: ReadonlySet<string> = new Set([
  ATTRIBUTE.conversationId,
  ATTRIBUTE.schemaVersion,
  ATTRIBUTE.stepName,
  ATTRIBUTE.stepDepth,
  ATTRIBUTE.workflow,
  ATTRIBUTE.sessionId,
  ATTRIBUTE.genAiConversationId,
  ATTRIBUTE.outcome,
]);

/** The attributes that are written to a span when it ends: convotel's own, and separately those of the program. */
export class SpanAttributes {
  /** The outcome comes first, so that it is kept whatever the attribute limit. */
  readonly own: Attributes = { [ATTRIBUTE.outcome]: 'completed' };
  program: Attributes | undefined;

  /** Adds attributes of the program; those named by the conventions count as convotel's own. */
  add(given: unknown): void {
    eachAttribute(given, (name, value) => {
      if (IDENTITY_NAMES.has(name)) return;
      if (OWN_NAMES.has(name) || name.startsWith(STEP_TIMING_PREFIX)) this.own[name] = value;
      else (this.program ??= {})[name] = value;
    });
  }
}

/** What follows from a step's name. */
export interface NamedStep {
  readonly kind: StepKind;
  /** Value of `gen_ai.operation.name`, if the GenAI conventions define a matching one. */
  readonly operation: string | undefined;
}

const namedSteps = new Map<string, NamedStep>();
const MAX_REMEMBERED_STEP_NAMES = 1000;

export function namedStep(stepName: string): NamedStep {
  const known = namedSteps.get(stepName);
  if (known !== undefined) return known;
  const kind = stepKindOf(stepName);
  const named = { kind, operation: OPERATION_BY_STEP_KIND[kind] };
  if (namedSteps.size < MAX_REMEMBERED_STEP_NAMES) namedSteps.set(stepName, named);
  return named;
}

/** Adds the attributes of `options`, those of the program first, so that they cannot replace convotel's own. */
export function addOptionAttributes(
  target: SpanAttributes,
  named: NamedStep,
  options: StepOptions | undefined,
  capturesContent: boolean,
): void {
  if (options?.attributes !== undefined) target.add(options.attributes);
  const { own } = target;
  const operation = options?.operation ?? named.operation;
  if (operation !== undefined) own[ATTRIBUTE.operation] = operation;
  if (options === undefined) return;
  const { input, model, provider, attempt } = options;
  if (typeof model === 'string') own[ATTRIBUTE.requestModel] = model;
  if (typeof provider === 'string') own[ATTRIBUTE.provider] = provider;
  if (attempt !== undefined && Number.isInteger(attempt) && attempt > 1) own[ATTRIBUTE.stepAttempt] = attempt;
  if (input !== undefined) addInput(own, input, capturesContent);
}

/** Adds the length of the input and, with content capture, its text. */
export function addInput(target: Attributes, text: unknown, capturesContent: boolean): void {
  if (typeof text !== 'string') return;
  target[ATTRIBUTE.inputChars] = text.length;
  if (capturesContent) target[ATTRIBUTE.inputText] = keptText(text);
}

/** Adds the length of the output and, with content capture, its text. */
export function addOutput(target: Attributes, text: unknown, capturesContent: boolean): void {
  if (typeof text !== 'string') return;
  target[ATTRIBUTE.outputChars] = text.length;
  if (capturesContent) target[ATTRIBUTE.outputText] = keptText(text);
}

/** `text`, truncated to the `maxContentLength` of the process, never inside a surrogate pair. */
function keptText(text: string): string {
  const { maxContentLength } = processSettings();
  if (maxContentLength === undefined || text.length <= maxContentLength) return text;
  const isHalf = /[\uD800-\uDBFF]/.test(text.charAt(maxContentLength - 1));
  return text.slice(0, isHalf ? maxContentLength - 1 : maxContentLength);
}

/** Adds the token counts that are non-negative integers, and seconds of audio that are finite and not negative. */
export function addUsage(target: Attributes, usage: ModelUsage | undefined): void {
  const { inputTokens, outputTokens, audioSeconds } = usage ?? {};
  if (isCount(inputTokens)) target[ATTRIBUTE.inputTokens] = inputTokens;
  if (isCount(outputTokens)) target[ATTRIBUTE.outputTokens] = outputTokens;
  if (isDuration(audioSeconds)) target[ATTRIBUTE.audioDuration] = audioSeconds;
}

/**
 * Adds what was read from the result, without replacing what the program set. `hasOutput`: the program set the output.
 */
export function addResultDetails(target: Attributes, details: ResultDetails, hasOutput: boolean): void {
  const { chunks, outputChars, outputText, provider, model, finishReason } = details;
  if (chunks !== undefined) target[ATTRIBUTE.stepChunks] = chunks;
  if (!hasOutput && outputChars !== undefined) {
    target[ATTRIBUTE.outputChars] = outputChars;
    if (outputText !== undefined) target[ATTRIBUTE.outputText] = keptText(outputText);
  }
  if (provider !== undefined) target[ATTRIBUTE.provider] ??= provider;
  if (model !== undefined) {
    target[ATTRIBUTE.responseModel] = model;
    // Reports group by the requested model; if the program did not set it, the model of the response is used.
    target[ATTRIBUTE.requestModel] ??= model;
  }
  if (finishReason !== undefined) target[ATTRIBUTE.finishReasons] = [finishReason];
  const { inputTokens, outputTokens, audioSeconds } = details;
  if (isCount(inputTokens)) target[ATTRIBUTE.inputTokens] ??= inputTokens;
  if (isCount(outputTokens)) target[ATTRIBUTE.outputTokens] ??= outputTokens;
  if (isDuration(audioSeconds)) target[ATTRIBUTE.audioDuration] ??= audioSeconds;
}

function isCount(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0;
}

/** Adds the duration of a part of the step, if it is a valid one. */
export function addTiming(target: Attributes, part: string, seconds: unknown): void {
  if (isDuration(seconds) && typeof part === 'string' && part !== '') target[STEP_TIMING_PREFIX + part] = seconds;
}

/** Whether `seconds` is a finite number, 0 or more. */
export function isDuration(seconds: unknown): seconds is number {
  return typeof seconds === 'number' && Number.isFinite(seconds) && seconds >= 0;
}
