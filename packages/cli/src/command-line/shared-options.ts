import type { ConversationFilters } from '@convotel/query';
import { THRESHOLD } from '@convotel/conventions';
import { choice, flag, option } from './options.ts';
import type { OptionValues } from './options.ts';
import { milliseconds, text, wholeNumber } from './value-parsers.ts';

const STORE_DEFAULT = '$XDG_DATA_HOME/convotel/conversations.duckdb, or CONVOTEL_STORE';

/** Options of every command that asks a back end. */
export const SOURCE_OPTIONS = {
  from: option(text, {
    placeholder: 'where',
    description: 'local, the address of a Jaeger or a `convotel serve`, or a file of OTLP/JSON lines',
    defaultText: 'local, or CONVOTEL_FROM',
  }),
  store: option(text, {
    placeholder: 'file',
    description: "the embedded back end's file",
    defaultText: STORE_DEFAULT,
  }),
};

/** `--store` of a command that writes to the store. */
export const STORE_OPTION = {
  store: option(text, { placeholder: 'file', description: 'where spans are kept', defaultText: STORE_DEFAULT }),
};

/** Prints for a program to read. */
export const JSON_OPTION = { json: flag('print one JSON document instead of text') };

/** Prints for a screen without colours. */
export const COLOR_OPTION = { noColor: flag('print without colours (NO_COLOR does the same)') };

/** Options of every command that prints an answer. */
export const OUTPUT_OPTIONS = {
  tz: option(text, {
    placeholder: 'zone',
    description: 'IANA time zone of times and hours',
    defaultText: "the system's",
  }),
  ...JSON_OPTION,
  noFindings: flag('leave out the sentences and arrows'),
  ...COLOR_OPTION,
};

/** `--limit` of every command that lists rows. */
export const LIMIT_OPTION = {
  limit: option(wholeNumber(1, 10_000), {
    placeholder: 'rows',
    description: 'at most this many rows',
    default: '10',
  }),
};

/** `--target` of every command whose findings speak of a target. */
export const TARGET_OPTION = {
  target: option(milliseconds, {
    placeholder: 'ms',
    description: 'total under which a conversation is fast enough',
    default: String(THRESHOLD.targetMs),
  }),
};

/** Options that choose conversations, which then count whole. */
export const FILTER_OPTIONS = {
  service: option(text, { placeholder: 'name', description: 'conversations with a span of this service' }),
  workflow: option(text, { placeholder: 'name', description: 'conversations of this workflow' }),
  session: option(text, { placeholder: 'id', description: 'conversations of this session' }),
  outcome: choice(['completed', 'failed', 'timed_out', 'interrupted', 'abandoned', 'open'], {
    placeholder: 'outcome',
    description: 'conversations that ended so',
  }),
};

/** The conversations that {@link FILTER_OPTIONS} choose. */
export function filtersOf(options: OptionValues<typeof FILTER_OPTIONS>): ConversationFilters {
  const { service, workflow, session, outcome } = options;
  return {
    ...(service === undefined ? {} : { service }),
    ...(workflow === undefined ? {} : { workflow }),
    ...(session === undefined ? {} : { session }),
    ...(outcome === undefined ? {} : { outcome }),
  };
}
