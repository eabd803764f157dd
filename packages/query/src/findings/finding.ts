import { stepKindOf } from '@convotel/conventions';
import type { StepKind } from '@convotel/conventions';

/** How much a finding matters to whoever runs the assistant; `advice` says what to do next. */
export type Severity = 'good' | 'info' | 'warning' | 'problem' | 'advice';

/** What a rule saw in the data, in words, and the numbers that the words rest on. */
export interface Finding {
  /** Stable name of the rule, such as `bottleneck-step`. */
  rule: string;
  severity: Severity;
  text: string;
  evidence: Evidence;
}

/** The numbers and names behind a finding. */
export type Evidence = Record<string, number | string | boolean | readonly (number | string)[]>;

/** Looks at the facts of one answer. Pure; an empty list when there is nothing to say. */
export interface FindingRule<Facts> {
  (facts: Facts): Finding[];
  /** Stable name, which every finding of the rule carries. */
  readonly ruleName: string;
}

/**
 * Makes a rule. `look` speaks by the kind of a step, never by its name, so that a pipeline with other names reads as well.
 */
export function findingRule<Facts>(
  ruleName: string,
  look: (facts: Facts) => readonly Omit<Finding, 'rule'>[],
): FindingRule<Facts> {
  const rule = (facts: Facts): Finding[] => look(facts).map((finding) => ({ rule: ruleName, ...finding }));
  return Object.assign(rule, { ruleName });
}

/** What `rules` see in `facts`, in the order of the rules. */
export function findAll<Facts>(rules: readonly FindingRule<Facts>[], facts: Facts): Finding[] {
  return rules.flatMap((rule) => rule(facts));
}

/** Milliseconds as seconds without needless decimals: 8000 as `8`, 8500 as `8.5`. */
export function secondsWords(milliseconds: number): string {
  return String(Number((milliseconds / 1000).toFixed(3)));
}

/** A duration to two digits or so: 3421.8 ms as `3.4s`, 421.8 ms as `422ms`, 0.3 ms as `0.3ms`. */
export function roughDurationWords(milliseconds: number): string {
  if (milliseconds >= 999.5) return `${(milliseconds / 1000).toFixed(1)}s`;
  return milliseconds >= 10 ? `${milliseconds.toFixed(0)}ms` : `${Number(milliseconds.toFixed(1))}ms`;
}

/** A percentage with at most two decimals and no needless ones: `25%`, `6.25%`. */
export function percentWords(percent: number): string {
  return `${Number(percent.toFixed(2))}%`;
}

/** A percentage to the whole, below one per cent to one decimal: `17%`, `0.4%`. */
export function roughPercentWords(percent: number): string {
  return `${Math.abs(percent) < 1 ? Number(percent.toFixed(1)) : percent.toFixed(0)}%`;
}

/** A number and its noun: `1 call`, `2 calls`. */
export function counted(count: number, singular: string, plural = `${singular}s`): string {
  return `${count} ${count === 1 ? singular : plural}`;
}

/** Names as a sentence lists them: `a`, `a or b`, `a, b or c`. */
export function nameList(names: readonly string[], conjunction: 'and' | 'or'): string {
  const last = names.at(-1) ?? '';
  return names.length < 2 ? last : `${names.slice(0, -1).join(', ')} ${conjunction} ${last}`;
}

const MOST_CHARACTERS = 120;

/** As many whole code points as a cut message keeps; the ellipsis is the last character. */
const KEPT = new RegExp(`^.{0,${MOST_CHARACTERS - 1}}`, 'su');

/** An error's message as a sentence can hold it: one that is too long is cut, which an ellipsis shows. */
export function quotedMessage(message: string): string {
  return message.length <= MOST_CHARACTERS ? message : `${KEPT.exec(message)?.[0] ?? ''}…`;
}

/** Where the name stands: inside a sentence, at its beginning, or as a label before a colon. */
export type NamePlace = 'inside' | 'opening' | 'label';

/** A name that reads as a word: lower-case letters alone. */
const WORD = /^\p{Ll}+$/u;

/** A word of up to three letters. */
const ACRONYM = /^\p{Ll}{1,3}$/u;

/**
 * A step's name as sentences speak of it. A name that is a lower-case word is one in the sentence: up to three letters are
 * an acronym and stand in capitals everywhere; longer ones begin with a capital at the beginning, and are capitals as a
 * label. Every other name (`fetchUser`, `look_up`, `gpt-5`) stands as the program wrote it.
 */
export function stepDisplayName(step: string, place: NamePlace = 'inside'): string {
  if (!WORD.test(step)) return step;
  if (place === 'label' || ACRONYM.test(step)) return step.toUpperCase();
  if (place === 'inside') return step;
  const [first = '', ...rest] = step;
  return first.toUpperCase() + rest.join('');
}

/** As many names as a sentence holds, then how many more: `a, b and 3 more`. */
export function cappedNames(names: readonly string[], mostNamed: number): string {
  const more = names.length - mostNamed;
  // One more is named as well: that takes no more room.
  return more <= 1 ? nameList(names, 'and') : `${names.slice(0, mostNamed).join(', ')} and ${more} more`;
}

/** What sentences say about one kind of step. An absent phrase is left out of the sentence. */
export interface StepPhrases {
  /** After "very consistent". */
  whenConsistent?: string;
  /** After "wide range", "most variable" and "fairly consistent": what its duration depends on. */
  whenVariable?: string;
  /** How to speed it up when it dominates slow conversations. */
  speedUp?: string;
  /** What the user noticed when the conversation never got to it. */
  whenMissing?: string;
  /** Before "when … fails": what the user should get instead. */
  fallback?: string;
}

const STEP_PHRASES: Readonly<Record<StepKind, StepPhrases>> = {
  capture: { whenConsistent: 'good' },
  speech_to_text: {
    whenVariable: 'depends on audio quality/length',
    speedUp: 'shorten the audio or use a faster speech model',
    fallback: 'Ask the user to repeat',
  },
  language_model: {
    whenVariable: 'API latency varies',
    speedUp: 'optimize prompts or use faster model',
    fallback: 'Add fallback responses for',
  },
  text_to_speech: {
    whenVariable: 'depends on text length',
    speedUp: 'shorten answers or stream the speech',
    fallback: 'Show the answer as text',
  },
  playback: {
    whenConsistent: 'audio playback stable',
    whenMissing: 'User heard nothing back (bad UX)',
  },
  other: {},
};

/** The phrases about `step`, by the kind of step that its name stands for. */
export function phrasesOf(step: string): StepPhrases {
  return STEP_PHRASES[stepKindOf(step)];
}
