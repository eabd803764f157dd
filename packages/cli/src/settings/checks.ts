import { isDuration } from '../values/duration.ts';

/** A value of the settings is not what it must be; the message names its key, such as `steps.gpt.target`. */
export class SettingsProblem extends Error {
  override readonly name = 'SettingsProblem';
}

/** Validates one kind of value, and describes it as JSON Schema for editors. */
export interface Check<Value> {
  /** JSON Schema (2020-12) of the value. */
  readonly schema: object;
  /** @throws {@link SettingsProblem} */
  read(value: unknown, key: string): Value;
}

/** What a check reads. */
export type ValueOf<Any> = Any extends Check<infer Value> ? Value : never;

/** Adds a description for editors. */
export function described<Value>(description: string, check: Check<Value>): Check<Value> {
  return { ...check, schema: { description, ...check.schema } };
}

/** A text that is not empty. */
export const text: Check<string> = {
  schema: { type: 'string', minLength: 1 },
  read: (value, key) => (typeof value === 'string' && value !== '' ? value : refuse(key, 'a text', value)),
};

/** A time such as `"8s"`, or milliseconds such as `8000`; read as an option writes it, so `8000` is `8000ms`. */
export const time: Check<string> = {
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
export const zone: Check<string> = {
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
export function numberBetween(min: number, max = Number.MAX_SAFE_INTEGER): Check<number> {
  const bounds = max === Number.MAX_SAFE_INTEGER ? `of ${min} or more` : `from ${min} to ${max}`;
  return {
    schema: { type: 'number', minimum: min, ...(max === Number.MAX_SAFE_INTEGER ? {} : { maximum: max }) },
    read: (value, key) =>
      typeof value === 'number' && value >= min && value <= max ? value : refuse(key, `a number ${bounds}`, value),
  };
}

/** A whole number of `min` or more. */
export function wholeNumber(min: number): Check<number> {
  return {
    schema: { type: 'integer', minimum: min },
    read: (value, key) =>
      Number.isSafeInteger(value) && (value as number) >= min
        ? (value as number)
        : refuse(key, `a whole number of ${min} or more`, value),
  };
}

/** One of `choices`. */
export function oneOf<const Choices extends readonly string[]>(choices: Choices): Check<Choices[number]> {
  return {
    schema: { enum: choices },
    read: (value, key) =>
      choices.includes(value as string)
        ? (value as Choices[number])
        : refuse(key, `one of ${choices.join(', ')}`, value),
  };
}

/** A list of values that each pass `check`. */
export function listOf<Value>(check: Check<Value>): Check<Value[]> {
  return {
    schema: { type: 'array', items: check.schema },
    read: (value, key) =>
      Array.isArray(value)
        ? value.map((item, index) => check.read(item, `${key}[${index}]`))
        : refuse(key, 'a list in square brackets', value),
  };
}

/** An object with arbitrary keys. */
export function mapOf<Value>(check: Check<Value>): Check<Readonly<Record<string, Value>>> {
  return {
    schema: { type: 'object', additionalProperties: check.schema },
    read: (value, key) =>
      Object.fromEntries(
        Object.entries(objectOf(value, key)).map(([name, field]) => [name, check.read(field, join(key, name))]),
      ),
  };
}

/** An object with these fields and no others, all optional. */
export function fields<const Checks extends Readonly<Record<string, Check<unknown>>>>(
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
