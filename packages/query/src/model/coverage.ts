import { compareText } from './order.ts';
import type { SpanRecord } from './span-record.ts';

/** What an answer was computed from. */
export interface Coverage {
  /** Conversations found among the spans read. */
  conversations: number;
  /** Spans read, without duplicates. Includes spans that are not steps. */
  spans: number;
  /** False if something could not be read; `warnings` then has the reason. */
  complete: boolean;
  warnings: Warning[];
}

/** Something that a reader of the answer should know. */
export interface Warning {
  code: WarningCode;
  /** A sentence for display. */
  text: string;
}

/** Stable, so that programs may branch on them; `docs/conventions.md` lists them. */
export type WarningCode =
  /** A program samples its conversations. */
  | 'sampled'
  /** Conversations of the answer have several roots, because their ids were reused. */
  | 'conversation-id-reused'
  /** Spans were read, but none of them is a step or a root. */
  | 'no-steps-recognised'
  /** Lines of a file, or a time range, could not be read; the answer is incomplete. */
  | 'unread'
  /** The question had no window and was answered from recent data only; the answer is incomplete. */
  | 'looked-back'
  /** The trace of a conversation was found by reading a whole time range. */
  | 'found-by-reading'
  /** Conversations were still running when they were read. */
  | 'unsettled'
  /** Other traces have the same conversation id. */
  | 'other-traces'
  /** The step asked for does not occur in the window. */
  | 'step-never-seen'
  /** No step of the window has the attribute that was asked for. */
  | 'attribute-never-seen'
  /** The two sides of a comparison overlap in time, or share conversations. */
  | 'sides-overlap'
  /** The first window of a comparison starts later than the second. */
  | 'windows-swapped'
  /** One window of a comparison is at least twice as long as the other. */
  | 'windows-uneven'
  /** There are more step names than are listed separately; the rest is counted together as `(other)`. */
  | 'step-names-folded'
  /** Conversations of the window have no session id, so they belong to no session. */
  | 'without-session'
  /** There are more conversations than one answer reads; the older ones are missing, so it is incomplete. */
  | 'only-newest'
  /** Only a share of the conversations was read, as was asked for: the answer is an estimate. */
  | 'approximate';

/** The data of an answer, and what it was computed from. */
export interface Answer<Data> {
  data: Data;
  coverage: Coverage;
}

export function withWarning(coverage: Coverage, warning: Warning): Coverage {
  return { ...coverage, warnings: [...coverage.warnings, warning] };
}

/** The sampling of one program, from the resource of its spans. */
export interface SampledProgram {
  serviceName?: string;
  /** Share of conversations that is kept; if absent or 1, the program does not sample. */
  samplingRatio?: number;
}

/**
 * One warning for each program that samples its conversations, and ratio, in order of name, then ratio. Shared by all
 * engines.
 */
export function samplingWarnings(programs: Iterable<SampledProgram>): Warning[] {
  const warned = new Map<string, { name: string; ratio: number }>();
  for (const { serviceName: name = '', samplingRatio: ratio } of programs) {
    if (ratio !== undefined && ratio >= 0 && ratio < 1) warned.set(`${ratio} ${name}`, { name, ratio });
  }
  return [...warned.values()]
    .sort((a, b) => compareText(a.name, b.name) || a.ratio - b.ratio)
    .map(({ name, ratio }) => {
      const program = name === '' ? 'A program without a name' : `The program "${name}"`;
      const text = `${program} samples its conversations at a ratio of ${ratio}: counts are of the sampled ones, not of all.`;
      return { code: 'sampled', text };
    });
}

/** Maximum number of names of each kind in a warning; `…` stands for the rest. */
const MAX_NAMES = 3;

/**
 * Warns that none of `spanCount` spans is a step or a root. `services` and `names` are those of the spans, most
 * frequent first, then by code point; the first {@link MAX_NAMES} of each are named.
 */
export function unrecognisedWarning(spanCount: number, services: readonly string[], names: readonly string[]): Warning {
  const from = services.length === 0 ? 'no named service' : quotedList(services);
  const text = `No step or root of a conversation was recognised. Spans read: ${spanCount}, from ${from}, named ${quotedList(names)}. A step has the attribute conversation.step.name.`;
  return { code: 'no-steps-recognised', text };
}

/** Warns that `folded` step names beyond the `kept` most frequent are counted together as `other`. */
export function foldedWarning(folded: number, kept: number, other: string): Warning {
  const text = `${kept + folded} step names occur. The ${kept} most frequent are listed separately, and the other ${folded} are counted together as "${other}". Give a step the same name in every conversation (such as "tool"), and put ids and other values that change into attributes of the span.`;
  return { code: 'step-names-folded', text };
}

/**
 * Warns that one conversation in `oneIn` was read. The bound is Hoeffding's, for conversations with equally many spans of
 * the step: the rank of a quantile is off by more than ε with a probability of at most 2·exp(−2nε²).
 */
export function approximateWarning(oneIn: number): Warning {
  const text = `An estimate: 1 conversation in ${oneIn} was read, chosen by trace id, and counts and lists are of those alone. A percentile over n of them has the rank that it names to within 136/√n points, with a probability of 95 % (of 10,000: p95 lies between the exact p93.6 and p96.4).`;
  return { code: 'approximate', text };
}

function quotedList(texts: readonly string[]): string {
  const named = texts.slice(0, MAX_NAMES).map((text) => `"${text}"`);
  return [...named, ...(texts.length > MAX_NAMES ? ['…'] : [])].join(', ');
}

/** Warns of conversations with several roots among those in an answer. */
export function reuseWarnings(
  conversations: Iterable<{ conversationId: string; spans: readonly SpanRecord[] }>,
): Warning[] {
  const reused = new Set<string>();
  for (const { conversationId, spans } of conversations) {
    const roots = spans.filter(({ role }) => role === 'root');
    if (roots.length > 1) reused.add(conversationId);
  }
  if (reused.size === 0) return [];
  const named = quotedList([...reused].sort(compareText));
  const text =
    reused.size === 1
      ? `The conversation id ${named} was used more than once: everything recorded under it is shown as one conversation, with the worst outcome.`
      : `${reused.size} conversation ids (${named}) were used more than once: everything recorded under each is shown as one conversation, with the worst outcome.`;
  return [{ code: 'conversation-id-reused', text }];
}
