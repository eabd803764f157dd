import { stepKindOf } from '@convotel/conventions';
import type { StepKind } from '@convotel/conventions';

/** How important a finding is to the operator of the assistant; `advice` suggests what to do next. */
export type Severity = 'good' | 'info' | 'warning' | 'problem' | 'advice';

/** What a rule found in the data: a sentence, and the numbers that it is based on. */
export interface Finding {
  /** Stable name of the rule, such as `bottleneck-step`. */
  rule: string;
  severity: Severity;
  text: string;
  evidence: Evidence;
}

/** The numbers and names that a finding or alert is based on. */
export type Evidence = Record<string, number | string | boolean | readonly (number | string)[]>;

/** Derives findings from the facts of one answer. Pure; returns an empty list if there are none. */
export interface FindingRule<Facts> {
  (facts: Facts): Finding[];
  /** Stable name, which is in every finding of the rule. */
  readonly ruleName: string;
}

/**
 * Creates a rule. `look` must go by the kind of a step, not by its name, so that it also works for pipelines with other
 * step names.
 */
export function findingRule<Facts>(
  ruleName: string,
  look: (facts: Facts) => readonly Omit<Finding, 'rule'>[],
): FindingRule<Facts> {
  const rule = (facts: Facts): Finding[] => look(facts).map((finding) => ({ rule: ruleName, ...finding }));
  return Object.assign(rule, { ruleName });
}

/** The findings of all `rules`, in their order. */
export function findAll<Facts>(rules: readonly FindingRule<Facts>[], facts: Facts): Finding[] {
  return rules.flatMap((rule) => rule(facts));
}

/** Milliseconds as seconds without trailing zeros: 8000 as `8`, 8500 as `8.5`. */
export function secondsWords(milliseconds: number): string {
  return String(Number((milliseconds / 1000).toFixed(3)));
}

/** A rounded duration: 3421.8 ms as `3.4s`, 421.8 ms as `422ms`, 0.3 ms as `0.3ms`. */
export function roughDurationWords(milliseconds: number): string {
  if (milliseconds >= 999.5) return `${(milliseconds / 1000).toFixed(1)}s`;
  return milliseconds >= 10 ? `${milliseconds.toFixed(0)}ms` : `${Number(milliseconds.toFixed(1))}ms`;
}

/** A percentage with at most two decimals, without trailing zeros: `25%`, `6.25%`. */
export function percentWords(percent: number): string {
  return `${Number(percent.toFixed(2))}%`;
}

/** A percentage rounded to an integer or, below 1%, to one decimal: `17%`, `0.4%`. */
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

const MAX_MESSAGE_LENGTH = 120;

/** The part of a truncated message before the ellipsis; never splits a code point. */
const TRUNCATED = new RegExp(`^.{0,${MAX_MESSAGE_LENGTH - 1}}`, 'su');

/** An error's message, truncated with an ellipsis if it is too long for a sentence. */
export function quotedMessage(message: string): string {
  return message.length <= MAX_MESSAGE_LENGTH ? message : `${TRUNCATED.exec(message)?.[0] ?? ''}…`;
}

/** Position of the name: inside a sentence, at its beginning, or as a label before a colon. */
export type NamePlace = 'inside' | 'opening' | 'label';

/** A name that reads as a word: lower-case letters alone. */
const WORD = /^\p{Ll}+$/u;

/** A word of up to three letters. */
const ACRONYM = /^\p{Ll}{1,3}$/u;

/**
 * A step's name for use in sentences. A lower-case word of up to three letters is an acronym and always in capitals; a
 * longer one is capitalized at the beginning of a sentence, and in capitals as a label. Any other name (`fetchUser`,
 * `look_up`, `gpt-5`) is unchanged.
 */
export function stepDisplayName(step: string, place: NamePlace = 'inside'): string {
  if (!WORD.test(step)) return step;
  if (place === 'label' || ACRONYM.test(step)) return step.toUpperCase();
  if (place === 'inside') return step;
  const [first = '', ...rest] = step;
  return first.toUpperCase() + rest.join('');
}

/** At most `maxNames` names (or one more), then the number of the others: `a, b and 3 more`. */
export function cappedNames(names: readonly string[], maxNames: number): string {
  const more = names.length - maxNames;
  // A single further name is shown: it takes no more space than `1 more`.
  return more <= 1 ? nameList(names, 'and') : `${names.slice(0, maxNames).join(', ')} and ${more} more`;
}

/** Phrases about one kind of step. If a phrase is absent, sentences do without it. */
export interface StepPhrases {
  /** Follows "very consistent". */
  whenConsistent?: string;
  /** Follows "wide range", "most variable" and "fairly consistent": what its duration depends on. */
  whenVariable?: string;
  /** How to make it faster if it dominates slow conversations. */
  speedUp?: string;
  /** What the user noticed if the conversation ended before it. */
  whenMissing?: string;
  /** Precedes "when … fails": what the user should get instead. */
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

/** The phrases for the kind of step that the name means. */
export function phrasesOf(step: string): StepPhrases {
  return STEP_PHRASES[stepKindOf(step)];
}
