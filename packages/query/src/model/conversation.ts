import type { Outcome } from '@convotel/conventions';
import { compareText } from './order.ts';
import type { SpanRecord } from './span-record.ts';

/** The root's outcome, or `open` while no root has arrived. */
export type ConversationOutcome = Outcome | 'open';

/** One conversation in numbers, computed over all of its steps. */
export interface ConversationRecord {
  /**
   * The id the program gave: the root's, else the steps', else that of any span; the first by code point where they
   * contradict each other. The trace id where no span carries one.
   */
  conversationId: string;
  traceId: string;
  /** Earliest start and latest end of its steps; the root's own times where there is no step. */
  startTimeUnixNano: bigint;
  endTimeUnixNano: bigint;
  /** Where there are several roots, of the one that ends last, then of the one last by span id. */
  outcome: ConversationOutcome;
  /** All step spans, attempts and nested ones included. */
  stepCount: number;
  /** Sum of its outermost steps' durations. */
  totalNano: bigint;
  /** Sum of its completed outermost steps' durations. */
  completedNano: bigint;
  /** {@link ConversationRecord.completedNano} by step name. */
  completedNanoByStep: Record<string, bigint>;
}

/** The numbers of one conversation, from all spans of its trace, each once. Undefined where none is a root or a step. */
export function buildConversation(spans: readonly SpanRecord[]): ConversationRecord | undefined {
  const steps = spans.filter((span) => span.role === 'step');
  const roots = spans.filter((span) => span.role === 'root');
  const timed = steps.length > 0 ? steps : roots;
  const [first] = timed;
  if (first === undefined) return undefined;

  let startTimeUnixNano = first.startTimeUnixNano;
  let endTimeUnixNano = endOf(first);
  for (const span of timed) {
    if (span.startTimeUnixNano < startTimeUnixNano) startTimeUnixNano = span.startTimeUnixNano;
    if (endOf(span) > endTimeUnixNano) endTimeUnixNano = endOf(span);
  }

  let totalNano = 0n;
  let completedNano = 0n;
  const completedNanoByStep = new Map<string, bigint>();
  for (const { step = '', depth, outcome, durationNano } of steps) {
    if (depth > 0) continue;
    totalNano += durationNano;
    if (outcome !== 'completed') continue;
    completedNano += durationNano;
    completedNanoByStep.set(step, (completedNanoByStep.get(step) ?? 0n) + durationNano);
  }

  return {
    conversationId: idIn(roots) ?? idIn(steps) ?? idIn(spans) ?? first.traceId,
    traceId: first.traceId,
    startTimeUnixNano,
    endTimeUnixNano,
    outcome: outcomeOf(roots),
    stepCount: steps.length,
    totalNano,
    completedNano,
    // Unlike an assignment, this also takes a step named `__proto__`.
    completedNanoByStep: Object.fromEntries(completedNanoByStep),
  };
}

/** Unix nanoseconds. */
function endOf(span: SpanRecord): bigint {
  return span.startTimeUnixNano + span.durationNano;
}

function idIn(spans: readonly SpanRecord[]): string | undefined {
  let firstId: string | undefined;
  for (const { conversationId } of spans) {
    if (conversationId === undefined || conversationId === firstId) continue;
    if (firstId === undefined || compareText(conversationId, firstId) < 0) firstId = conversationId;
  }
  return firstId;
}

function outcomeOf(roots: readonly SpanRecord[]): ConversationOutcome {
  let last: SpanRecord | undefined;
  for (const root of roots) {
    const isLater =
      last === undefined || endOf(root) > endOf(last) || (endOf(root) === endOf(last) && root.spanId > last.spanId);
    if (isLater) last = root;
  }
  return last?.outcome ?? 'open';
}
