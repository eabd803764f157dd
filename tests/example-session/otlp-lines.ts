import { createHash } from 'node:crypto';
import { ATTRIBUTE, conversationIdsOf, SCHEMA_VERSION, STEP_TIMING_PREFIX } from '@convotel/conventions';
import { parseInstant } from '@convotel/query';
import type { ConversationPlan, StepPlan } from './conversation-plan.ts';

const STATUS_ERROR = 2;
const KIND_INTERNAL = 1;

/** The planned conversations as OTLP/JSON lines, one request a conversation, as the collector's file exporter writes. */
export function otlpLines(plans: readonly ConversationPlan[]): string {
  return plans.map((plan) => `${JSON.stringify(requestOf(plan))}\n`).join('');
}

function requestOf(plan: ConversationPlan): unknown {
  const { traceId, rootSpanId } = conversationIdsOf(plan.id);
  const startTime = parseInstant(plan.start);
  let endTime = startTime;
  const steps = plan.steps.map((step, index) => {
    const stepStart = endTime + nanoOf(step.gapMs ?? 0);
    endTime = stepStart + nanoOf(step.durationMs);
    return {
      traceId,
      spanId: createHash('sha256').update(`${plan.id} ${index}`).digest('hex').slice(0, 16),
      parentSpanId: rootSpanId,
      name: step.step,
      kind: KIND_INTERNAL,
      startTimeUnixNano: String(stepStart),
      endTimeUnixNano: String(endTime),
      attributes: stepAttributes(plan.id, step),
      status: step.error === undefined ? {} : { code: STATUS_ERROR, message: step.error },
    };
  });
  const error = plan.steps.find((step) => step.error !== undefined)?.error;
  const root = {
    traceId,
    spanId: rootSpanId,
    name: 'conversation',
    kind: KIND_INTERNAL,
    startTimeUnixNano: String(startTime),
    endTimeUnixNano: String(endTime),
    attributes: [
      text(ATTRIBUTE.conversationId, plan.id),
      text(ATTRIBUTE.schemaVersion, SCHEMA_VERSION),
      text(ATTRIBUTE.outcome, outcomeOf(error)),
    ],
    status: error === undefined ? {} : { code: STATUS_ERROR, message: error },
  };
  return {
    resourceSpans: [
      {
        resource: { attributes: [text(ATTRIBUTE.serviceName, 'example')] },
        scopeSpans: [{ scope: { name: 'example' }, spans: [...steps, root] }],
      },
    ],
  };
}

function stepAttributes(id: string, step: StepPlan): unknown[] {
  return [
    text(ATTRIBUTE.conversationId, id),
    text(ATTRIBUTE.stepName, step.step),
    text(ATTRIBUTE.outcome, outcomeOf(step.error)),
    ...(step.input === undefined ? [] : [text(ATTRIBUTE.inputText, step.input)]),
    ...(step.output === undefined ? [] : [text(ATTRIBUTE.outputText, step.output)]),
    ...(step.inputChars === undefined
      ? []
      : [{ key: ATTRIBUTE.inputChars, value: { intValue: String(step.inputChars) } }]),
    ...(step.firstOutputMs === undefined ? [] : [seconds(ATTRIBUTE.timeToFirstOutput, step.firstOutputMs)]),
    ...Object.entries(step.timingsMs ?? {}).map(([part, ms]) => seconds(STEP_TIMING_PREFIX + part, ms)),
  ];
}

function outcomeOf(error: string | undefined): string {
  return error === undefined ? 'completed' : 'failed';
}

function text(key: string, stringValue: string): unknown {
  return { key, value: { stringValue } };
}

function seconds(key: string, milliseconds: number): unknown {
  return { key, value: { doubleValue: milliseconds / 1000 } };
}

function nanoOf(milliseconds: number): bigint {
  return BigInt(Math.round(milliseconds * 1_000_000));
}
