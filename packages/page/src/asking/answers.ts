import {
  averages,
  commonErrors,
  compare,
  errors,
  explain,
  longest,
  percentiles,
  recent,
  satisfaction,
  summary,
  timeline,
  trace,
} from '@convotel/query/answers';
import type { ConversationSource } from '@convotel/query/answers';
import { responseLatency } from './response-latency.ts';
import { stepParts } from './step-parts.ts';

/** Everything that the page asks, by name. No number on the page comes from anywhere else. */
export const ANSWERS = {
  averages,
  commonErrors,
  compare,
  errors,
  explain,
  longest,
  percentiles,
  recent,
  responseLatency,
  satisfaction,
  stepParts,
  summary,
  timeline,
  trace,
} as const;

export type AnswerName = keyof typeof ANSWERS;

/** What an answer is asked with, beside the source. */
export type OptionsOf<Name extends AnswerName> = Parameters<(typeof ANSWERS)[Name]>[1];

export type AnswerOf<Name extends AnswerName> = Awaited<ReturnType<(typeof ANSWERS)[Name]>>;

/** Calls the answer with its own options. */
export function answer<Name extends AnswerName>(
  source: ConversationSource,
  name: Name,
  options: OptionsOf<Name>,
): Promise<AnswerOf<Name>> {
  const ask = ANSWERS[name] as (source: ConversationSource, options: OptionsOf<Name>) => Promise<AnswerOf<Name>>;
  return ask(source, options);
}
