import type { ConversationRecord } from '../model/conversation.ts';
import { withWarning } from '../model/coverage.ts';
import type { Coverage } from '../model/coverage.ts';
import type { ConversationFilters, Window } from '../model/window.ts';
import { MAX_QUESTION_LIMIT } from '../questions.ts';
import type { ConversationSource } from '../questions.ts';
import { coverageOfSameSpans } from './report.ts';

/** Most conversations that one answer reads. */
const MAX_CONVERSATIONS = 1_000_000;

/**
 * Hands every conversation that starts in the window to `add`, the newest first, and returns what the answer rests on.
 * Reads a page after the other, because one question hands over only so many; each page ends where the next begins, and
 * what starts at that very instant is handed over once.
 */
export async function readConversations(
  source: ConversationSource,
  { window, filters }: { window: Window; filters: ConversationFilters },
  add: (conversation: ConversationRecord) => void,
): Promise<Coverage> {
  const coverages: Coverage[] = [];
  let read = 0;
  let isCutOff = false;
  let seenAtEdge = new Set<string>();
  let { untilUnixNano } = window;
  for (;;) {
    const page = { name: 'conversations', order: 'newest', limit: MAX_QUESTION_LIMIT, filters } as const;
    const { data, coverage } = await source.ask({ ...page, window: { ...window, untilUnixNano } });
    coverages.push(coverage);
    for (const conversation of data) {
      if (seenAtEdge.has(conversation.traceId)) continue;
      add(conversation);
      read += 1;
    }
    const oldest = data.at(-1)?.startTimeUnixNano;
    if (oldest === undefined || data.length < MAX_QUESTION_LIMIT) break;
    seenAtEdge = new Set(data.filter((each) => each.startTimeUnixNano === oldest).map(({ traceId }) => traceId));
    // Where a whole page starts at one instant, there may be more of it than can be asked for.
    const isOneInstant = seenAtEdge.size === data.length;
    isCutOff ||= isOneInstant || read >= MAX_CONVERSATIONS;
    untilUnixNano = isOneInstant ? oldest : oldest + 1n;
    if (read >= MAX_CONVERSATIONS || untilUnixNano <= window.sinceUnixNano) break;
  }
  // Pages overlap, so their counts cannot be added; any question about the window has its coverage.
  if (coverages.length > 1) {
    coverages.unshift((await source.ask({ name: 'common-errors', window, filters, limit: 1 })).coverage);
  }
  const all = coverageOfSameSpans(...(coverages as [Coverage, ...Coverage[]]));
  return isCutOff ? onlyNewest(all, read) : all;
}

/** `coverage` of an answer that has only the newest conversations. */
export function onlyNewest(coverage: Coverage, read: number): Coverage {
  const text = `only the newest ${read} conversations were read; choose a shorter window`;
  return { ...withWarning(coverage, { code: 'only-newest', text }), complete: false };
}
