import { buildConversation, isInWindow } from '../../model/conversation.ts';
import type { ConversationFilters, ConversationRecord, Window } from '../../model/conversation.ts';
import { foldedWarning, samplingWarnings, unrecognisedWarning, withWarning } from '../../model/coverage.ts';
import type { Answer, Coverage, SampledProgram } from '../../model/coverage.ts';
import { compareBigint, compareText } from '../../model/order.ts';
import { keepOneCopy } from '../../model/span-record.ts';
import type { SpanRecord } from '../../model/span-record.ts';
import { MAX_STEP_NAMES, OTHER_STEPS } from '../../questions.ts';

/** The spans of one trace, without duplicates, and the conversation that they form, if any. */
export interface Trace {
  traceId: string;
  spans: readonly SpanRecord[];
  conversation?: ConversationRecord;
}

/** A trace with a root or a step. */
export type ConversationTrace = Trace & { conversation: ConversationRecord };

/** Whether a trace has a root or a step. */
export function isConversation(trace: Trace): trace is ConversationTrace {
  return trace.conversation !== undefined;
}

/** Groups spans by trace. `spans` must be in the order of reading, and may contain copies. */
export function groupIntoTraces(spans: Iterable<SpanRecord>): Trace[] {
  return [...keepOneCopy(spans)].map(([traceId, spansOfTrace]) => {
    const conversation = buildConversation(spansOfTrace);
    return { traceId, spans: spansOfTrace, ...(conversation && { conversation }) };
  });
}

/** Sorts the newest conversation first, then by trace id. */
export function compareNewestFirst(a: ConversationTrace, b: ConversationTrace): number {
  return (
    compareBigint(b.conversation.startTimeUnixNano, a.conversation.startTimeUnixNano) ||
    (a.traceId < b.traceId ? -1 : Number(a.traceId > b.traceId))
  );
}

/** The traces that match `filters`. Without a filter all traces, including those that are not conversations. */
export function chooseTraces(traces: readonly Trace[], filters: ConversationFilters = {}): readonly Trace[] {
  const isFiltered = Object.values(filters).some((filter) => filter !== undefined);
  return isFiltered ? traces.filter((trace) => isConversation(trace) && matches(trace, filters)) : traces;
}

function matches({ spans, conversation }: ConversationTrace, filters: ConversationFilters): boolean {
  const { service, workflow, session, outcome } = filters;
  return (
    (outcome === undefined || conversation.outcome === outcome) &&
    (service === undefined || spans.some((span) => span.serviceName === service)) &&
    (workflow === undefined || spans.some((span) => span.workflow === workflow)) &&
    (session === undefined || spans.some((span) => span.sessionId === session))
  );
}

/** Counts the spans of `traces` that start in `window`, and the traces that have a root or step among them. */
export function coverTraces(traces: readonly Trace[], window: Window | undefined): Coverage {
  let conversations = 0;
  let spanCount = 0;
  const sampled: SampledProgram[] = [];
  for (const { spans } of traces) {
    let isSeen = false;
    for (const span of spans) {
      if (!isInWindow(span.startTimeUnixNano, window)) continue;
      spanCount += 1;
      if (span.role !== 'other') isSeen = true;
      if (span.samplingRatio !== undefined) sampled.push(span);
    }
    if (isSeen) conversations += 1;
  }
  return { conversations, spans: spanCount, complete: true, warnings: samplingWarnings(sampled) };
}

/**
 * Adds a warning if spans start in `window` but none of them is part of a conversation, unless filters could be the
 * reason.
 */
export function warnUnrecognised(
  coverage: Coverage,
  traces: readonly Trace[],
  { window, filters = {} }: { window?: Window; filters?: ConversationFilters },
): Coverage {
  const isFiltered = Object.values(filters).some((filter) => filter !== undefined);
  if (coverage.conversations > 0 || isFiltered) return coverage;
  const spans = traces.flatMap((trace) => trace.spans.filter((span) => isInWindow(span.startTimeUnixNano, window)));
  if (spans.length === 0 || spans.some(({ role }) => role !== 'other')) return coverage;
  const services = byFrequency(spans.flatMap(({ serviceName = [] }) => serviceName));
  const warning = unrecognisedWarning(spans.length, services, byFrequency(spans.map(({ name }) => name)));
  return withWarning(coverage, warning);
}

/** Distinct texts, most frequent first, then by code point. */
function byFrequency(texts: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return [...counts].sort(([a, countA], [b, countB]) => countB - countA || compareText(a, b)).map(([text]) => text);
}

/** Answers a question with a window from the conversations that match its filters. */
export function overWindow<Asked extends { window: Window; filters?: ConversationFilters }, Data>(
  gather: (traces: readonly Trace[], asked: Asked) => Data,
): (traces: readonly Trace[], asked: Asked) => Answer<Data> {
  return (traces, asked) => {
    const chosen = chooseTraces(traces, asked.filters);
    const coverage = warnUnrecognised(coverTraces(chosen, asked.window), chosen, asked);
    return { data: gather(chosen, asked), coverage };
  };
}

/** The name of a step in an answer: its own, or {@link OTHER_STEPS}. */
export type NameOf = (step: string) => string;

/**
 * Answers a question about steps. The most frequent step names are listed separately; others are folded into one, with
 * a warning.
 * @param spansAsked - returns the spans of a conversation that the answer is about
 */
export function foldingNames<
  Asked extends { window: Window; filters?: ConversationFilters; step?: string; steps?: boolean },
  Data,
>(
  gather: (conversations: readonly ConversationTrace[], asked: Asked, nameOf: NameOf) => Data,
  spansAsked: (trace: ConversationTrace, window: Window) => readonly SpanRecord[],
): (traces: readonly Trace[], asked: Asked) => Answer<Data> {
  return (traces, asked) => {
    let folded = 0;
    const answer = overWindow((chosen: readonly Trace[], question: Asked) => {
      const conversations = chosen.filter(isConversation);
      if (question.step !== undefined || question.steps === false) {
        return gather(conversations, question, (step) => step);
      }
      const spans = conversations.map((trace) => spansAsked(trace, question.window));
      const names = namesByFrequency(spans, question.window);
      if (names.length <= MAX_STEP_NAMES) return gather(conversations, question, (step) => step);
      folded = names.length - MAX_STEP_NAMES;
      const kept = new Set(names.slice(0, MAX_STEP_NAMES));
      return gather(conversations, question, (step) => (kept.has(step) ? step : OTHER_STEPS));
    })(traces, asked);
    if (folded === 0) return answer;
    const warning = foldedWarning(folded, MAX_STEP_NAMES, OTHER_STEPS);
    return { ...answer, coverage: withWarning(answer.coverage, warning) };
  };
}

/** All step names except {@link OTHER_STEPS}, most frequent in the window first, then by code point. */
function namesByFrequency(spansOfConversations: readonly (readonly SpanRecord[])[], window: Window): string[] {
  const counts = new Map<string, number>();
  for (const spans of spansOfConversations) {
    for (const { step, startTimeUnixNano } of spans) {
      if (step === undefined || step === OTHER_STEPS) continue;
      counts.set(step, (counts.get(step) ?? 0) + Number(isInWindow(startTimeUnixNano, window)));
    }
  }
  return [...counts].sort(([a, countA], [b, countB]) => countB - countA || compareText(a, b)).map(([name]) => name);
}
