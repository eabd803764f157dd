import { isFailure, OUTCOMES } from '@convotel/conventions';
import type { ConversationRecord, StepUsage, ConversationFilters, Coverage, SpanRecord, Window } from '@convotel/query';
import { compareText } from '@convotel/query/engine';
import {
  ascending,
  contains,
  cover,
  endOf,
  retriedAmong,
  reuseWarnings,
  sortKey,
  unrecognisedWarnings,
} from './naive-definitions.ts';

/** Delivered spans, each once, and what they make up, straight from the definitions. */
export class NaiveSpans {
  /** One copy of each. */
  readonly all: readonly SpanRecord[];
  readonly #byTrace = new Map<string, SpanRecord[]>();

  constructor(delivered: readonly SpanRecord[]) {
    const copies = new Map<string, { span: SpanRecord; index: number }[]>();
    const keyOf = ({ traceId, spanId, startTimeUnixNano }: SpanRecord): string =>
      `${traceId} ${spanId} ${startTimeUnixNano}`;
    for (const span of delivered) copies.set(keyOf(span), []);
    for (const [index, span] of delivered.entries()) copies.get(keyOf(span))!.push({ span, index });
    this.all = delivered.filter((span, index) =>
      copies.get(keyOf(span))!.every(({ span: other, index: otherIndex }) => {
        if (index === otherIndex) return true;
        if (endOf(span) !== endOf(other)) return endOf(span) > endOf(other);
        if (span.isRecovered !== other.isRecovered) return other.isRecovered;
        return index > otherIndex;
      }),
    );
    for (const { traceId } of this.all) this.#byTrace.set(traceId, []);
    for (const span of this.all) this.#byTrace.get(span.traceId)!.push(span);
  }

  /** One conversation a trace with a root or a step, that all filters choose. */
  conversations(filters: ConversationFilters): ConversationRecord[] {
    const traceIds = new Set(this.all.filter(({ role }) => role !== 'other').map(({ traceId }) => traceId));
    return [...traceIds].filter((traceId) => this.#isChosen(traceId, filters)).map((traceId) => this.describe(traceId));
  }

  /** Coverage of a question with a window. */
  covered(window: Window, filters: ConversationFilters): Coverage {
    const spans = this.coveredSpans(window, filters);
    const coverage = cover(spans);
    if (Object.keys(filters).length === 0) coverage.warnings.push(...unrecognisedWarnings(spans));
    return coverage;
  }

  /** The spans that start in the window, of the chosen conversations. */
  coveredSpans(window: Window, filters: ConversationFilters): SpanRecord[] {
    const isFiltered = Object.keys(filters).length > 0;
    return this.all.filter(
      ({ traceId, startTimeUnixNano }) =>
        contains(window, startTimeUnixNano) && (!isFiltered || this.#isChosen(traceId, filters)),
    );
  }

  /** `coverage`, with a warning for those of `conversations` that have several roots. */
  withReuse(coverage: Coverage, conversations: readonly ConversationRecord[]): Coverage {
    const handedOver = conversations.map(({ conversationId, traceId }) => ({
      id: conversationId,
      spans: this.ofTrace(traceId),
    }));
    return { ...coverage, warnings: [...coverage.warnings, ...reuseWarnings(handedOver)] };
  }

  /** The spans of one trace. */
  ofTrace(traceId: string): SpanRecord[] {
    return [...(this.#byTrace.get(traceId) ?? [])];
  }

  #isChosen(wanted: string, { service, workflow, session, outcome }: ConversationFilters): boolean {
    const spans = this.ofTrace(wanted);
    const own = spans.filter(({ role }) => role !== 'other');
    return (
      own.length > 0 &&
      (service === undefined || spans.map(({ serviceName }) => serviceName).includes(service)) &&
      (workflow === undefined || spans.map((span) => span.workflow).includes(workflow)) &&
      (session === undefined || spans.map(({ sessionId }) => sessionId).includes(session)) &&
      [undefined, this.describe(wanted).outcome].includes(outcome)
    );
  }

  /** The conversation of one trace. */
  describe(wanted: string): ConversationRecord {
    const spans = this.ofTrace(wanted);
    const ofRole = (role: SpanRecord['role']): SpanRecord[] => spans.filter((span) => span.role === role);
    const [steps, roots] = [ofRole('step'), ofRole('root')];
    const timed = steps.length > 0 ? steps : roots;
    const outermost = steps.filter(({ depth }) => depth === 0);
    const completed = outermost.filter(({ outcome }) => outcome === 'completed');
    const first = (field: 'conversationId' | 'sessionId' | 'workflow'): string | undefined =>
      [roots, steps, spans].flatMap((group) => group.flatMap((span) => span[field] ?? []).sort(compareText))[0];
    const [sessionId, workflow] = [first('sessionId'), first('workflow')];
    const outcome = OUTCOMES.find((candidate) => roots.some((root) => root.outcome === candidate)) ?? 'open';
    const retried = retriedAmong(spans);
    const failedStep = outermost
      .filter((span) => isFailure(span.outcome) && !retried.includes(span))
      .sort((a, b) => compareText(sortKey(a), sortKey(b)))
      .at(-1)?.step;
    const latencies = [steps, roots].map((group) => group.flatMap((span) => span.responseLatencySeconds ?? []));
    const answered = latencies.find(({ length }) => length > 0);
    const starts = timed.map(({ startTimeUnixNano }) => startTimeUnixNano).sort(ascending);
    return {
      conversationId: first('conversationId') ?? wanted,
      traceId: wanted,
      ...(sessionId !== undefined && { sessionId }),
      ...(workflow !== undefined && { workflow }),
      startTimeUnixNano: starts[0]!,
      endTimeUnixNano: timed.map(endOf).sort(ascending).at(-1)!,
      outcome,
      ...(outcome !== 'open' && isFailure(outcome) && failedStep !== undefined && { failedStep }),
      stepCount: steps.length,
      stepSumNano: outermost.reduce((total, { durationNano }) => total + durationNano, 0n),
      ...(answered && { responseMs: Math.min(...answered) * 1000 }),
      interruptedSteps: steps.filter((step) => step.outcome === 'interrupted').length,
      usage: this.#usageOf(steps),
      completedNanoByStep: Object.fromEntries(
        completed.map(({ step }) => [
          step!,
          completed.filter((span) => span.step === step).reduce((total, { durationNano }) => total + durationNano, 0n),
        ]),
      ),
    };
  }

  #usageOf(steps: SpanRecord[]): StepUsage[] {
    const amounts = ['inputTokens', 'outputTokens', 'inputChars', 'audioSeconds'] as const;
    const says = steps.filter((span) => ['provider', 'model', ...amounts].some((field) => field in span));
    const keyOf = ({ step, provider = '', model = '' }: SpanRecord): string => JSON.stringify([step, provider, model]);
    return [...new Set(says.map(keyOf))].sort(compareText).map((key) => {
      const calls = says.filter((span) => keyOf(span) === key);
      const { step, provider, model } = calls[0]!;
      const sums = amounts.flatMap((field) => {
        const values = calls.flatMap((span) => span[field] ?? []);
        return values.length === 0 ? [] : [[field, values.reduce((total, value) => total + value, 0)] as const];
      });
      return {
        step: step!,
        ...(provider !== undefined && { provider }),
        ...(model !== undefined && { model }),
        calls: calls.length,
        ...Object.fromEntries(sums),
      };
    });
  }
}
