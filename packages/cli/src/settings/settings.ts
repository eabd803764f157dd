import { isDuration } from '../values.ts';

/** A setting is invalid; the message contains its key, such as `steps.gpt.target`. */
export class SettingsProblem extends Error {
  override readonly name = 'SettingsProblem';
}

/** Validates one kind of value, and describes it as JSON Schema for editors. */
interface Check<Value> {
  /** JSON Schema (2020-12) of the value. */
  readonly schema: object;
  /** @throws {@link SettingsProblem} */
  read(value: unknown, key: string): Value;
}

/** The type that a check returns. */
type ValueOf<Any> = Any extends Check<infer Value> ? Value : never;

/** Adds a description that editors show. */
function described<Value>(description: string, check: Check<Value>): Check<Value> {
  return { ...check, schema: { description, ...check.schema } };
}

/** A string that is not empty. */
const text: Check<string> = {
  schema: { type: 'string', minLength: 1 },
  read: (value, key) => (typeof value === 'string' && value !== '' ? value : refuse(key, 'a text', value)),
};

/** A duration such as `"8s"`, or milliseconds such as `8000`. Converted to the form that options take: `8000ms`. */
const time: Check<string> = {
  schema: {
    anyOf: [
      { type: 'number', minimum: 0 },
      { type: 'string', pattern: '^(\\d+(\\.\\d+)?(ms|[smhdw]))+$' },
    ],
  },
  read: (value, key) => {
    if (typeof value === 'number' && value >= 0 && value < 1e12) return `${value}ms`;
    if (typeof value === 'string' && isDuration(value)) return value;
    return refuse(key, 'a time such as "8s" or "500ms", or milliseconds such as 8000', value);
  },
};

/** An IANA time zone such as `Europe/Berlin`. */
const zone: Check<string> = {
  schema: { type: 'string', minLength: 1 },
  read: (value, key) => {
    const name = text.read(value, key);
    try {
      new Intl.DateTimeFormat('en', { timeZone: name });
    } catch {
      return refuse(key, 'an IANA time zone such as "Europe/Berlin"', value);
    }
    return name;
  },
};

/** A number from `min` to `max`. */
function numberBetween(min: number, max = Number.MAX_SAFE_INTEGER): Check<number> {
  const bounds = max === Number.MAX_SAFE_INTEGER ? `of ${min} or more` : `from ${min} to ${max}`;
  return {
    schema: { type: 'number', minimum: min, ...(max === Number.MAX_SAFE_INTEGER ? {} : { maximum: max }) },
    read: (value, key) =>
      typeof value === 'number' && value >= min && value <= max ? value : refuse(key, `a number ${bounds}`, value),
  };
}

/** A whole number of `min` or more. */
function wholeNumber(min: number): Check<number> {
  return {
    schema: { type: 'integer', minimum: min },
    read: (value, key) =>
      Number.isSafeInteger(value) && (value as number) >= min
        ? (value as number)
        : refuse(key, `a whole number of ${min} or more`, value),
  };
}

/** One of `choices`. */
function oneOf<const Choices extends readonly string[]>(choices: Choices): Check<Choices[number]> {
  return {
    schema: { enum: choices },
    read: (value, key) =>
      choices.includes(value as string)
        ? (value as Choices[number])
        : refuse(key, `one of ${choices.join(', ')}`, value),
  };
}

/** A list of values that each pass `check`. */
function listOf<Value>(check: Check<Value>): Check<Value[]> {
  return {
    schema: { type: 'array', items: check.schema },
    read: (value, key) =>
      Array.isArray(value)
        ? value.map((item, index) => check.read(item, `${key}[${index}]`))
        : refuse(key, 'a list in square brackets', value),
  };
}

/** An object with arbitrary keys. */
function mapOf<Value>(check: Check<Value>): Check<Readonly<Record<string, Value>>> {
  return {
    schema: { type: 'object', additionalProperties: check.schema },
    read: (value, key) =>
      Object.fromEntries(
        Object.entries(objectOf(value, key)).map(([name, field]) => [name, check.read(field, join(key, name))]),
      ),
  };
}

/** An object with these fields and no others, all optional. */
function fields<const Checks extends Readonly<Record<string, Check<unknown>>>>(
  checks: Checks,
): Check<{ readonly [Name in keyof Checks]?: ValueOf<Checks[Name]> | undefined }> {
  type Fields = { readonly [Name in keyof Checks]?: ValueOf<Checks[Name]> | undefined };
  const properties = Object.fromEntries(Object.entries(checks).map(([name, { schema }]) => [name, schema]));
  return {
    schema: { type: 'object', properties, additionalProperties: false },
    read: (value, key) => {
      const read = Object.entries(objectOf(value, key)).map(([name, field]) => {
        const check = Object.hasOwn(checks, name) ? checks[name] : undefined;
        if (check === undefined) {
          throw new SettingsProblem(
            `${join(key, name)} is not a setting. ${key === '' ? 'Settings' : `Settings below ${key}`}: ${Object.keys(checks).join(', ')}.`,
          );
        }
        return [name, check.read(field, join(key, name))] as const;
      });
      return Object.fromEntries(read) as Fields;
    },
  };
}

function objectOf(value: unknown, key: string): object {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  return refuse(key === '' ? 'The file' : key, 'an object in curly brackets', value);
}

function join(key: string, name: string): string {
  return key === '' ? name : `${key}.${name}`;
}

function refuse(key: string, wanted: string, value: unknown): never {
  throw new SettingsProblem(`${key} must be ${wanted}, got ${JSON.stringify(value)}.`);
}

/** The values of `StepKind`. */
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
  rule: described(
    'What the rule checks.',
    oneOf(['error-rate', 'p95', 'response', 'slow-conversations', 'no-conversations']),
  ),
  step: described('Checks only this step. Without it, error-rate checks every step.', text),
  above: described('Upper limit: per cent, a time, or a number of conversations, depending on the rule.', LIMIT),
  threshold: described('slow-conversations: a longer conversation is slow.', time),
  clearBelow: described(
    'An alert ends only below this limit; the same kind of value as `above`, and not higher.',
    LIMIT,
  ),
  minSamples: described(
    'Minimum number of spans or conversations in the window; with fewer, the rule neither starts nor ends an alert.',
    wholeNumber(1),
  ),
  for: described('How long the condition must last before it is an alert.', time),
});

/** The settings of `convotel.json`. The JSON schema for editors is generated from this. */
export const SETTINGS = fields({
  $schema: text,
  from: described(
    'Where to read from by default, without --from and CONVOTEL_FROM; a relative path is relative to this file.',
    text,
  ),
  service: described('Default of --service; --service "" selects all services.', text),
  tz: described('Default IANA time zone, without --tz and TZ.', zone),
  conversation: fields({
    target: described('A shorter conversation is fast enough: the default of --target.', time),
    threshold: described('slow lists longer conversations: the default of its --threshold.', time),
  }),
  steps: described(
    'Settings of steps, by name.',
    mapOf(
      fields({
        kind: described('What the step does, if it cannot be derived from its name.', oneOf(STEP_KINDS)),
        ...LIMITS,
      }),
    ),
  ),
  kinds: described(
    'Defaults for all steps of a kind.',
    fields({
      capture: fields(LIMITS),
      speech_to_text: fields(LIMITS),
      language_model: fields(LIMITS),
      text_to_speech: fields(LIMITS),
      playback: fields(LIMITS),
      other: fields(LIMITS),
    }),
  ),
  currency: described('Currency of the prices, for display.', text),
  prices: described(
    'Prices of models, by model name as in the spans.',
    mapOf(
      fields({
        inputPerMillionTokens: numberBetween(0),
        outputPerMillionTokens: numberBetween(0),
        perMillionCharacters: described('Of text to speak.', numberBetween(0)),
        perAudioMinute: described('Of transcribed or generated audio.', numberBetween(0)),
      }),
    ),
  ),
  watch: fields({
    since: described('How far each round looks back.', time),
    interval: described('Time between two rounds.', time),
    for: described('How long a condition must last before it is an alert; default for all rules.', time),
    minSamples: described(
      'Minimum number of spans or conversations in the window; default for all rules.',
      wholeNumber(1),
    ),
    rules: described('Rules that replace the default ones; options add further rules.', listOf(WATCH_RULE)),
  }),
});

/** The content of `convotel.json`. Durations are strings, in the form that options take. */
export type Settings = ValueOf<typeof SETTINGS>;

/** One rule of `watch`. */
export type WatchRuleSettings = ValueOf<typeof WATCH_RULE>;
