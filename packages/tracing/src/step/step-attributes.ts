import { ATTRIBUTE, OPERATION_BY_STEP_KIND, STEP_TIMING_PREFIX, stepKindOf } from '@convotel/conventions';
import type { Attributes } from '@opentelemetry/api';
import { addSafeAttributes } from '../safety/safe-attributes.ts';
import type { StepOptions, TokenUsage } from './step-options.ts';

const operationByStepName = new Map<string, string | undefined>();
const MAX_REMEMBERED_STEP_NAMES = 1000;

/** `gen_ai.operation.name` of a step called `stepName`, where its name tells. */
function operationOf(stepName: string): string | undefined {
  if (operationByStepName.has(stepName)) return operationByStepName.get(stepName);
  const operation = OPERATION_BY_STEP_KIND[stepKindOf(stepName)];
  if (operationByStepName.size < MAX_REMEMBERED_STEP_NAMES) operationByStepName.set(stepName, operation);
  return operation;
}

/** Adds what `options` say, the program's own attributes first, so that they cannot replace one of ours. */
export function addOptionAttributes(
  target: Attributes,
  stepName: string,
  options: StepOptions | undefined,
  capturesContent: boolean,
): void {
  if (options?.attributes !== undefined) addSafeAttributes(target, options.attributes);
  const operation = options?.operation ?? operationOf(stepName);
  if (operation !== undefined) target[ATTRIBUTE.operation] = operation;
  if (options === undefined) return;
  const { input, model, provider, attempt } = options;
  if (typeof model === 'string') target[ATTRIBUTE.requestModel] = model;
  if (typeof provider === 'string') target[ATTRIBUTE.provider] = provider;
  if (attempt !== undefined && Number.isInteger(attempt) && attempt > 1) target[ATTRIBUTE.stepAttempt] = attempt;
  if (input !== undefined) addInput(target, input, capturesContent);
}

/** Adds the length of the input, and the text where it may be kept. */
export function addInput(target: Attributes, text: unknown, capturesContent: boolean): void {
  if (typeof text !== 'string') return;
  target[ATTRIBUTE.inputChars] = text.length;
  if (capturesContent) target[ATTRIBUTE.inputText] = text;
}

/** Adds the length of the output, and the text where it may be kept. */
export function addOutput(target: Attributes, text: unknown, capturesContent: boolean): void {
  if (typeof text !== 'string') return;
  target[ATTRIBUTE.outputChars] = text.length;
  if (capturesContent) target[ATTRIBUTE.outputText] = text;
}

/** Adds the token counts that are whole numbers of 0 and more. */
export function addUsage(target: Attributes, usage: TokenUsage | undefined): void {
  const { inputTokens, outputTokens } = usage ?? {};
  if (isCount(inputTokens)) target[ATTRIBUTE.inputTokens] = inputTokens;
  if (isCount(outputTokens)) target[ATTRIBUTE.outputTokens] = outputTokens;
}

function isCount(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0;
}

/** Adds the length of a part, where it is a finite number of seconds, 0 or more. */
export function addTiming(target: Attributes, part: string, seconds: unknown): void {
  if (isDuration(seconds) && typeof part === 'string' && part !== '') target[STEP_TIMING_PREFIX + part] = seconds;
}

/** Adds the time to the first output, where it is a finite number of seconds, 0 or more. */
export function addTimeToFirstOutput(target: Attributes, seconds: unknown): void {
  if (isDuration(seconds)) target[ATTRIBUTE.timeToFirstOutput] = seconds;
}

function isDuration(seconds: unknown): seconds is number {
  return typeof seconds === 'number' && Number.isFinite(seconds) && seconds >= 0;
}
