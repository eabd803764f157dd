import {
  ATTRIBUTE,
  OPERATION_BY_STEP_KIND,
  processSettings,
  STEP_TIMING_PREFIX,
  stepKindOf,
} from '@convotel/conventions';
import type { StepKind } from '@convotel/conventions';
import type { Attributes } from '@opentelemetry/api';
import { eachAttribute } from '../guards/given-values.ts';
import type { ResultDetails } from '../results/recognized/client.ts';
import type { ModelUsage, StepOptions } from './step-options.ts';

/** Names that mean something to convotel; they are kept before a program's own when OpenTelemetry has to drop some. */
const OWN_NAMES: ReadonlySet<string> = new Set(Object.values(ATTRIBUTE));

/** Set at the start of a root and of a step; a program's attributes never replace them. */
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

/** What is written to a span when it ends: what convotel knows, and apart from it what the program added. */
export class SpanAttributes {
  /** The outcome stands first, so that it is kept whatever the limit. */
  readonly own: Attributes = { [ATTRIBUTE.outcome]: 'completed' };
  program: Attributes | undefined;

  /** Takes attributes of the program's own; one under a name of the conventions counts as convotel's. */
  add(given: unknown): void {
    eachAttribute(given, (name, value) => {
      if (IDENTITY_NAMES.has(name)) return;
      if (OWN_NAMES.has(name) || name.startsWith(STEP_TIMING_PREFIX)) this.own[name] = value;
      else (this.program ??= {})[name] = value;
    });
  }
}

/** What a step's name tells. */
export interface NamedStep {
  readonly kind: StepKind;
  /** `gen_ai.operation.name` of such a step, where the GenAI conventions have one that fits. */
  readonly operation: string | undefined;
}

const namedSteps = new Map<string, NamedStep>();
const MAX_REMEMBERED_STEP_NAMES = 1000;

/** What the name `stepName` tells. */
export function namedStep(stepName: string): NamedStep {
  const known = namedSteps.get(stepName);
  if (known !== undefined) return known;
  const kind = stepKindOf(stepName);
  const named = { kind, operation: OPERATION_BY_STEP_KIND[kind] };
  if (namedSteps.size < MAX_REMEMBERED_STEP_NAMES) namedSteps.set(stepName, named);
  return named;
}

/** Adds what `options` say, the program's own attributes first, so that they cannot replace one of ours. */
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

/** Adds the length of the input, and the text where it may be kept. */
export function addInput(target: Attributes, text: unknown, capturesContent: boolean): void {
  if (typeof text !== 'string') return;
  target[ATTRIBUTE.inputChars] = text.length;
  if (capturesContent) target[ATTRIBUTE.inputText] = keptText(text);
}

/** Adds the length of the output, and the text where it may be kept. */
export function addOutput(target: Attributes, text: unknown, capturesContent: boolean): void {
  if (typeof text !== 'string') return;
  target[ATTRIBUTE.outputChars] = text.length;
  if (capturesContent) target[ATTRIBUTE.outputText] = keptText(text);
}

/** `text`, cut where the process keeps no more of it; never between the halves of a character. */
function keptText(text: string): string {
  const { maxContentLength } = processSettings();
  if (maxContentLength === undefined || text.length <= maxContentLength) return text;
  const isHalf = /[\uD800-\uDBFF]/.test(text.charAt(maxContentLength - 1));
  return text.slice(0, isHalf ? maxContentLength - 1 : maxContentLength);
}

/** Adds the token counts that are whole numbers of 0 and more, and the seconds that are a finite number of 0 and more. */
export function addUsage(target: Attributes, usage: ModelUsage | undefined): void {
  const { inputTokens, outputTokens, audioSeconds } = usage ?? {};
  if (isCount(inputTokens)) target[ATTRIBUTE.inputTokens] = inputTokens;
  if (isCount(outputTokens)) target[ATTRIBUTE.outputTokens] = outputTokens;
  if (isDuration(audioSeconds)) target[ATTRIBUTE.audioDuration] = audioSeconds;
}

/** Adds what was read off the result. What the program said itself stays; `hasOutput` says that it set the output. */
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
    // Answers group by the model that was asked for; where the program did not say it, the one that answered stands in.
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

/** Adds the length of a part, where it is a finite number of seconds, 0 or more. */
export function addTiming(target: Attributes, part: string, seconds: unknown): void {
  if (isDuration(seconds) && typeof part === 'string' && part !== '') target[STEP_TIMING_PREFIX + part] = seconds;
}

/** Whether `seconds` is a finite number, 0 or more. */
export function isDuration(seconds: unknown): seconds is number {
  return typeof seconds === 'number' && Number.isFinite(seconds) && seconds >= 0;
}
