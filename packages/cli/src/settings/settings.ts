import { described, fields, listOf, mapOf, numberBetween, oneOf, text, time, wholeNumber, zone } from './checks.ts';
import type { Check, ValueOf } from './checks.ts';

/** Kinds of steps, as conventions names them. */
const STEP_KINDS = ['capture', 'speech_to_text', 'language_model', 'text_to_speech', 'playback', 'other'] as const;

const LIMITS = {
  target: described('A step that takes longer is pointed out in averages, summary and trace.', time),
  threshold: described('watch alerts when the 95th percentile is above it.', time),
};

/** Interpreted by the rule: per cent, a time, or a number of conversations. */
const LIMIT: Check<number | string> = {
  schema: { anyOf: [numberBetween(0).schema, time.schema] },
  read: (value, key) => (typeof value === 'number' ? numberBetween(0).read(value, key) : time.read(value, key)),
};

const WATCH_RULE = fields({
  rule: described('What is looked at.', oneOf(['error-rate', 'p95', 'slow-conversations', 'no-conversations'])),
  step: described('Only this step; error-rate looks at every step without it.', text),
  above: described('Alerts above it: per cent, a time, or a number of conversations.', LIMIT),
  threshold: described('slow-conversations: a conversation above it is slow.', time),
  clearBelow: described('An alert is over only below it; the same kind of value as `above`, and not above it.', LIMIT),
  minSamples: described('Fewer spans, or conversations, than this in the window say nothing.', wholeNumber(1)),
  for: described('How long it must last before it is an alert.', time),
});

/** The settings of `convotel.json`. The JSON schema for editors is generated from this. */
export const SETTINGS = fields({
  $schema: text,
  from: described(
    'Where to read from unless --from or CONVOTEL_FROM says; a file is looked for beside this one.',
    text,
  ),
  service: described('The service asked about unless --service says; --service "" asks about all.', text),
  tz: described('IANA time zone unless --tz or TZ says.', zone),
  conversation: fields({
    target: described('A conversation that takes less is fast enough: the default of --target.', time),
    threshold: described('slow lists conversations above it: the default of its --threshold.', time),
  }),
  steps: described(
    'Steps by name.',
    mapOf(
      fields({
        kind: described('What the step does, where its name does not tell.', oneOf(STEP_KINDS)),
        ...LIMITS,
      }),
    ),
  ),
  kinds: described(
    'The same for every step of a kind that says nothing of its own.',
    fields({
      capture: fields(LIMITS),
      speech_to_text: fields(LIMITS),
      language_model: fields(LIMITS),
      text_to_speech: fields(LIMITS),
      playback: fields(LIMITS),
      other: fields(LIMITS),
    }),
  ),
  currency: described('Of the prices; only shown.', text),
  prices: described(
    'What models cost, by the name that spans carry.',
    mapOf(
      fields({
        inputPerMillionTokens: numberBetween(0),
        outputPerMillionTokens: numberBetween(0),
        perMillionCharacters: described('Of text that was spoken.', numberBetween(0)),
        perAudioMinute: numberBetween(0),
      }),
    ),
  ),
  watch: fields({
    since: described('How far each round looks back.', time),
    interval: described('Time between two rounds.', time),
    for: described('How long a condition must last before it is an alert, unless its rule says.', time),
    minSamples: described(
      'Fewer spans, or conversations, than this say nothing, unless the rule says.',
      wholeNumber(1),
    ),
    rules: described('Rules in place of the usual ones; options add to them.', listOf(WATCH_RULE)),
  }),
});

/** What `convotel.json` says; times are texts as an option takes them. */
export type Settings = ValueOf<typeof SETTINGS>;

/** One rule of `watch`. */
export type WatchRuleSettings = ValueOf<typeof WATCH_RULE>;
