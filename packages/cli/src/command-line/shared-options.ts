import type { OptionDefinition } from './command-definition.ts';

/** Options of every command that asks a back end. */
export const SOURCE_OPTIONS: readonly OptionDefinition[] = [
  {
    flags: '--from <where>',
    description: 'local, the address of a Jaeger or a `convotel serve`, or a file of OTLP/JSON lines',
    defaultText: 'local, or CONVOTEL_FROM',
  },
  {
    flags: '--store <file>',
    description: "the embedded back end's file",
    defaultText: '$XDG_DATA_HOME/convotel/conversations.duckdb, or CONVOTEL_STORE',
  },
];

/** Options of every command that prints an answer. */
export const OUTPUT_OPTIONS: readonly OptionDefinition[] = [
  { flags: '--tz <zone>', description: 'IANA time zone of times and hours', defaultText: "the system's" },
  { flags: '--json', description: 'print one JSON document instead of text' },
  { flags: '--no-findings', description: 'leave out the sentences and arrows' },
  { flags: '--no-color', description: 'print without colours (NO_COLOR does the same)' },
];

/** Options that choose a stretch of time. */
export const WINDOW_OPTIONS: readonly OptionDefinition[] = [
  {
    flags: '--since <time>',
    description: 'a duration back from --until (90s, 24h, 7d, 1h30m), a date, or RFC 3339 with an offset',
  },
  { flags: '--until <time>', description: 'where the window ends, itself excluded', defaultText: 'now' },
  { flags: '--hours <n>', description: 'the same as --since <n>h' },
];

/** Options that choose conversations, which then count whole. */
export const FILTER_OPTIONS: readonly OptionDefinition[] = [
  { flags: '--service <name>', description: 'conversations with a span of this service' },
  { flags: '--workflow <name>', description: 'conversations of this workflow' },
  { flags: '--session <id>', description: 'conversations of this session' },
  {
    flags: '--outcome <outcome>',
    description: 'conversations that ended so',
    choices: ['completed', 'failed', 'timed_out', 'interrupted', 'abandoned', 'open'],
  },
];
