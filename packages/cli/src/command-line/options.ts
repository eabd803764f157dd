/**
 * One option of a command. The name that it has in the command's record is the name on the command line:
 * `maxAge` is written `--max-age`, and the command receives the parsed value as `options.maxAge`.
 */
export interface OptionDefinition<Value> {
  /** Names the value in the help, such as `rows` in `--limit <rows>`; absent where the option takes no value. */
  placeholder?: string | undefined;
  description: string;
  /** Shown in the help behind the description. */
  defaultText?: string | undefined;
  choices?: readonly string[] | undefined;
  /** May be given several times. */
  isRepeatable?: boolean | undefined;
  /**
   * Makes the value of what was written, which is nothing where the option was not given.
   * @param flag - the option as it is written, such as `--limit`, for error messages
   * @throws `UsageError` when the text is not one that the option takes.
   */
  parse(texts: readonly string[], flag: string): Value;
}

/** The options of a command by name. */
export type OptionDefinitions = Readonly<Record<string, OptionDefinition<unknown>>>;

/** What a command receives: each option's value, typed by its definition. */
export type OptionValues<Options extends OptionDefinitions> = {
  readonly [Name in keyof Options]: Options[Name] extends OptionDefinition<infer Value> ? Value : never;
};

/** Reads one value. Throws `UsageError` naming `flag`. */
export type ValueParser<Value> = (text: string, flag: string) => Value;

interface ValueSettings {
  placeholder: string;
  description: string;
  /** Shown as the default where the value comes from elsewhere. */
  defaultText?: string;
}

/** An option with a value; `default` is written as the user would write it. */
export function option<Value>(
  parse: ValueParser<Value>,
  settings: ValueSettings & { default: string },
): OptionDefinition<Value>;
export function option<Value>(parse: ValueParser<Value>, settings: ValueSettings): OptionDefinition<Value | undefined>;
export function option<Value>(
  parse: ValueParser<Value>,
  { default: byDefault, ...shown }: ValueSettings & { default?: string },
): OptionDefinition<Value | undefined> {
  return {
    ...shown,
    defaultText: shown.defaultText ?? byDefault,
    parse: (texts, flag) => {
      const text = texts.at(-1) ?? byDefault;
      return text === undefined ? undefined : parse(text, flag);
    },
  };
}

/** An option that may be given several times; all values arrive, in order. */
export function list<Value>(parse: ValueParser<Value>, settings: ValueSettings): OptionDefinition<Value[]> {
  return { ...settings, isRepeatable: true, parse: (texts, flag) => texts.map((text) => parse(text, flag)) };
}

/** An option that takes one of `choices`; the parser of the command line refuses everything else. */
export function choice<const Choices extends readonly string[]>(
  choices: Choices,
  settings: ValueSettings,
): OptionDefinition<Choices[number] | undefined> {
  return { ...settings, choices, parse: (texts) => texts.at(-1) };
}

/** An option without a value: on where it was given. */
export function flag(description: string): OptionDefinition<boolean> {
  return { description, parse: (texts) => texts.length > 0 };
}

/** `maxAge` as `--max-age`. */
export function flagOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
