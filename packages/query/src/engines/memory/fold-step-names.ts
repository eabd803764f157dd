import { foldedWarning, withWarning } from '../../model/coverage.ts';
import type { Answer } from '../../model/coverage.ts';
import { compareText } from '../../model/order.ts';
import type { SpanRecord } from '../../model/span-record.ts';
import { isInWindow } from '../../model/window.ts';
import type { ConversationFilters, Window } from '../../model/window.ts';
import { MAX_STEP_NAMES, OTHER_STEPS } from '../../questions.ts';
import { isConversation, overWindow } from './traces.ts';
import type { ConversationTrace, Trace } from './traces.ts';

/** The name that an answer has for a step: its own, or that of all others. */
export type NameOf = (step: string) => string;

/**
 * Answers a question about steps with the most frequent names told apart, and a warning where others were folded.
 * @param spansAsked - the spans of a conversation whose steps the answer is about
 */
export function foldingNames<Asked extends { window: Window; filters?: ConversationFilters; step?: string }, Data>(
  gather: (conversations: readonly ConversationTrace[], asked: Asked, nameOf: NameOf) => Data,
  spansAsked: (trace: ConversationTrace, window: Window) => readonly SpanRecord[],
): (traces: readonly Trace[], asked: Asked) => Answer<Data> {
  return (traces, asked) => {
    let folded = 0;
    const answer = overWindow((chosen: readonly Trace[], question: Asked) => {
      const conversations = chosen.filter(isConversation);
      if (question.step !== undefined) return gather(conversations, question, (step) => step);
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

/** The names of steps, but for that of the others: the most frequent in the window first, then by text. */
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
