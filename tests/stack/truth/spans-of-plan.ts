import { rootSpanIdOf, traceIdOf } from '@convotel/conventions';
import type { SpanRecord } from '@convotel/query';
import type { PlannedConversation, PlannedStep } from '../src/traffic/plan-conversations.ts';

/**
 * The spans that a plan must lead to, written down from the conventions and not from what the program made. Only the
 * span ids of steps are made up: a program draws them by chance.
 */
export function spansOfPlan(plan: readonly PlannedConversation[], serviceName: string): SpanRecord[] {
  return plan.flatMap((planned) => spansOf(planned).map((span) => ({ ...span, serviceName })));
}

function spansOf(planned: PlannedConversation): SpanRecord[] {
  const { conversationId, sessionId, workflow, outcome, steps, foreignSpan } = planned;
  const traceId = traceIdOf(conversationId);
  const rootSpanId = rootSpanIdOf(conversationId);
  const ofConversation = { traceId, depth: 0, isRecovered: false };
  const named = { conversationId, workflow, ...(sessionId !== undefined && { sessionId }) };

  const spans = steps.map((step): SpanRecord => ({
    ...ofConversation,
    ...named,
    ...stepFields(step),
    ...responseLatencyOf(step, steps),
    spanId: nextSpanId(),
    parentSpanId: rootSpanId,
  }));
  if (outcome !== 'open') {
    const worst = steps.at(-1)!;
    spans.push({
      ...ofConversation,
      ...named,
      spanId: rootSpanId,
      name: 'conversation',
      role: 'root',
      startTimeUnixNano: nano(planned.startUnixMs),
      durationNano: nano(planned.endUnixMs - planned.startUnixMs),
      outcome,
      ...(isFailure(worst) && errorFields(worst)),
      ...responseLatencyOfRoot(steps),
    });
  }
  if (foreignSpan !== undefined) {
    spans.push({
      ...ofConversation,
      spanId: nextSpanId(),
      parentSpanId: rootSpanId,
      name: foreignSpan.name,
      role: 'other',
      startTimeUnixNano: nano(foreignSpan.startUnixMs),
      durationNano: nano(foreignSpan.durationMs),
      outcome: 'completed',
    });
  }
  return spans;
}

function stepFields(
  planned: PlannedStep,
): Pick<SpanRecord, 'name' | 'role' | 'startTimeUnixNano' | 'durationNano' | 'outcome'> {
  const { step, startUnixMs, durationMs, outcome, attempt, inputText, outputText } = planned;
  return {
    name: step,
    role: 'step',
    step,
    startTimeUnixNano: nano(startUnixMs),
    durationNano: nano(durationMs),
    outcome,
    ...(isFailure(planned) && errorFields(planned)),
    ...(attempt !== undefined && { attempt }),
    ...(inputText !== undefined && { inputChars: inputText.length }),
    ...(outputText !== undefined && { outputChars: outputText.length }),
    ...(planned.timingsSeconds !== undefined && { timingsSeconds: planned.timingsSeconds }),
    ...(planned.timeToFirstOutputSeconds !== undefined && {
      timeToFirstOutputSeconds: planned.timeToFirstOutputSeconds,
    }),
  } as ReturnType<typeof stepFields>;
}

/** From the end of the user's input, which is that of the request, to what the user heard first of this step. */
function responseLatencyOf(planned: PlannedStep, steps: readonly PlannedStep[]): { responseLatencySeconds?: number } {
  const { step, startUnixMs, durationMs, outcome } = planned;
  const isSpeech = step === 'tts' && outcome === 'completed';
  if (!isSpeech && step !== 'response') return {};
  const request = steps.find((each) => each.step === 'request')!;
  const outputUnixMs = isSpeech ? startUnixMs + durationMs : startUnixMs;
  return { responseLatencySeconds: (outputUnixMs - request.startUnixMs - request.durationMs) / 1000 };
}

/** Where no step answered, the root has what the outermost streamed step that started last would have had. */
function responseLatencyOfRoot(steps: readonly PlannedStep[]): { responseLatencySeconds?: number } {
  if (steps.some((step) => responseLatencyOf(step, steps).responseLatencySeconds !== undefined)) return {};
  const streamed = steps.filter(({ timeToFirstOutputSeconds }) => timeToFirstOutputSeconds !== undefined).at(-1);
  if (streamed === undefined) return {};
  const request = steps.find(({ step }) => step === 'request')!;
  const outputUnixMs = streamed.startUnixMs + streamed.timeToFirstOutputSeconds! * 1000;
  return { responseLatencySeconds: (outputUnixMs - request.startUnixMs - request.durationMs) / 1000 };
}

function isFailure({ outcome }: PlannedStep): boolean {
  return outcome === 'failed' || outcome === 'timed_out';
}

function errorFields({ error }: PlannedStep): { errorType: string; errorMessage: string } {
  return { errorType: error!.name, errorMessage: error!.message };
}

function nano(unixMs: number): bigint {
  // Halves of a millisecond are exact in both.
  return BigInt(unixMs * 2) * 500_000n;
}

let spanCount = 0;

function nextSpanId(): string {
  spanCount += 1;
  return spanCount.toString(16).padStart(16, '0');
}
