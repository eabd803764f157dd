import type { ConversationFilters } from '@convotel/query';
import { THRESHOLD } from '@convotel/conventions';
import { durationMs } from '../values/duration.ts';
import { choice, flag, option, toggle } from './options.ts';
import type { OptionValues } from './options.ts';
import { text, wholeNumber } from '../values/value-parsers.ts';

const STORE_DEFAULT = '$XDG_DATA_HOME/convotel/conversations.duckdb, or CONVOTEL_STORE';

/** `--config` of every command that has settings. */
const CONFIG_OPTION = {
  config: option(text, {
    placeholder: 'file',
    description: 'settings: thresholds, prices, rules of watch',
    defaultText: 'CONVOTEL_CONFIG, or the nearest convotel.json above the working folder',
  }),
};

/** Options of every command that asks a back end. */
export const SOURCE_OPTIONS = {
  from: option(text, {
    placeholder: 'where',
    description:
      'local, the address of a Jaeger or a `convotel serve` (localhost:16686, unix:/run/convotel.sock), of a ClickHouse (clickhouse://host/otel), or a file of OTLP/JSON',
    defaultText: 'local, or CONVOTEL_FROM',
  }),
  store: option(text, {
    placeholder: 'file',
    description: "the embedded back end's file",
    defaultText: STORE_DEFAULT,
  }),
  ...CONFIG_OPTION,
};

/** `--store` of a command that writes to the store. */
export const STORE_OPTION = {
  store: option(text, { placeholder: 'file', description: 'where spans are kept', defaultText: STORE_DEFAULT }),
};

/** Prints for a program to read. */
export const JSON_OPTION = { json: flag('print one JSON document instead of text', 'j') };

/** Prints for a screen without colours. */
export const COLOR_OPTION = { noColor: flag('print without colours (NO_COLOR does the same)') };

/** The zone that times are read and shown in. */
export const TIME_ZONE_OPTION = {
  tz: option(text, {
    placeholder: 'zone',
    description: 'IANA time zone that times are read and shown in',
    defaultText: "TZ, or the system's",
  }),
};

/** Options of every command that prints an answer. */
export const OUTPUT_OPTIONS = {
  ...TIME_ZONE_OPTION,
  ...JSON_OPTION,
  csv: flag('print the rows as CSV instead of text'),
  noFindings: flag('leave out the sentences and arrows'),
  ...COLOR_OPTION,
};

/** `--graph` of every command that can draw. */
export const GRAPH_OPTION = { graph: toggle('draw beside the numbers, as on a terminal') };

/** `--by` of every command whose rows can be grouped. */
export const BY_OPTION = {
  by: option(text, {
    placeholder: 'what',
    description:
      'one block a group: model, provider, workflow, service, version, session, or the name of an attribute; the ten largest, the rest as (other)',
    suggestions: ['model', 'provider', 'workflow', 'service', 'version', 'session'],
  }),
};

/** `--limit` of every command that lists rows. */
export const LIMIT_OPTION = {
  limit: option(wholeNumber(1, 10_000), {
    short: 'n',
    placeholder: 'rows',
    description: 'at most this many rows',
    default: '10',
  }),
};

/** `--target` of every command whose findings speak of a target. */
export const TARGET_OPTION = {
  target: option(durationMs, {
    placeholder: 'time',
    description: 'a conversation that takes less is fast enough (7s; a bare number is milliseconds)',
    default: `${THRESHOLD.targetMs / 1000}s`,
    setting: ({ conversation }) => conversation?.target,
  }),
};

/** Options that select conversations; a selected conversation counts with all its spans. */
export const FILTER_OPTIONS = {
  service: option(text, {
    placeholder: 'name',
    description: 'only conversations with a span of this service; "" for all, where convotel.json names one',
    setting: ({ service }) => service,
  }),
  workflow: option(text, { placeholder: 'name', description: 'only conversations of this workflow' }),
  session: option(text, { placeholder: 'id', description: 'only conversations of this session' }),
  outcome: choice(['completed', 'failed', 'timed_out', 'interrupted', 'abandoned', 'open'], {
    placeholder: 'outcome',
    description: 'only conversations with this outcome',
  }),
};

/** The conversations that {@link FILTER_OPTIONS} choose. */
export function filtersOf(options: OptionValues<typeof FILTER_OPTIONS>): ConversationFilters {
  const { service, workflow, session, outcome } = options;
  return {
    ...(service === undefined || service === '' ? {} : { service }),
    ...(workflow === undefined ? {} : { workflow }),
    ...(session === undefined ? {} : { session }),
    ...(outcome === undefined ? {} : { outcome }),
  };
}
