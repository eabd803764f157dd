import type { ExitStatus, Terminal } from '../terminal.ts';
import type { Settings } from '../settings/settings.ts';
import type { ValueParser } from '../values.ts';

/** A complete command line and its meaning, shown first in the help. */
export type Example = readonly [call: string, meaning: string];

/** The positional argument of a command. */
export interface ArgumentDefinition {
  name: string;
  description: string;
  /** Values for shell completion; others may be valid too. */
  choices?: readonly string[];
}

/** A parsed call of a command. */
export interface Call<Options extends OptionDefinitions> {
  /** The positional argument; empty if the command takes none. */
  argument: string;
  options: OptionValues<Options>;
  /** The content of `convotel.json`. */
  settings: Settings;
  terminal: Terminal;
  /** All commands. */
  commands: readonly CommandEntry[];
  /** Runs another command line on a terminal, as a user would. */
  runWords(words: readonly string[], terminal: Terminal): Promise<ExitStatus>;
}

/** One command; its name and summary are in the table of commands. */
export interface Command<Options extends OptionDefinitions = OptionDefinitions> {
  examples: readonly Example[];
  argument?: ArgumentDefinition | undefined;
  options: Options;
  /** Whether the command reads `convotel.json` itself, so that it runs even if that is invalid. @defaultValue `false` */
  readsSettingsItself?: boolean | undefined;
  run(call: Call<Options>): Promise<ExitStatus>;
}

/** A command in the list of commands; its definition is loaded only when it is called. */
export interface CommandEntry {
  name: string;
  /** One line, lower-case, without a full stop. */
  summary: string;
  load(): Promise<{ command: Command }>;
}

/** Infers the type of the options that `run` receives. */
export function defineCommand<const Options extends OptionDefinitions>(command: Command<Options>): Command<Options> {
  return command;
}

/**
 * One option of a command. Its key in the command's `options` determines its name: `maxAge` is written `--max-age`, and
 * the command receives the parsed value as `options.maxAge`.
 */
export interface OptionDefinition<Value> {
  /** Single-letter form: `n` for `-n`. */
  short?: string | undefined;
  /** Name of the value in the help, such as `rows` in `--limit <rows>`; absent if the option takes no value. */
  placeholder?: string | undefined;
  description: string;
  /** The default value shown in the help. */
  defaultText?: string | undefined;
  choices?: readonly string[] | undefined;
  /** Values for shell completion; others may be valid too. */
  suggestions?: readonly string[] | undefined;
  /** Returns the value from `convotel.json`, in the form that the option takes; used if the option is not given. */
  setting?: ((settings: Settings) => string | undefined) | undefined;
  /** Whether it has a negated form, such as `--no-graph` for `--graph`. */
  hasNegation?: boolean | undefined;
  /** Whether it may be repeated. */
  isRepeatable?: boolean | undefined;
  /**
   * Parses the values that were given; `texts` is empty if the option was not given.
   * @param flag - name of the option for error messages, such as `--limit`
   * @throws `UsageError` if a value is invalid.
   */
  parse(texts: readonly string[], flag: string): Value;
}

/** The options of a command by name. */
export type OptionDefinitions = Readonly<Record<string, OptionDefinition<unknown>>>;

/** The parsed options that a command receives, typed by their definitions. */
export type OptionValues<Options extends OptionDefinitions> = {
  readonly [Name in keyof Options]: Options[Name] extends OptionDefinition<infer Value> ? Value : never;
};

interface ValueSettings {
  short?: string;
  placeholder: string;
  description: string;
  /** Shown as the default in the help instead of `default`. */
  defaultText?: string;
  setting?: (settings: Settings) => string | undefined;
  suggestions?: readonly string[];
}

/** An option with a value; `default` is unparsed, as the user would write it. */
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

/** An option that may be given several times; its value is the list of all, in order. */
export function list<Value>(parse: ValueParser<Value>, settings: ValueSettings): OptionDefinition<Value[]> {
  return { ...settings, isRepeatable: true, parse: (texts, flag) => texts.map((text) => parse(text, flag)) };
}

/** An option that takes one of `choices`; the command-line parser rejects everything else. */
export function choice<const Choices extends readonly string[]>(
  choices: Choices,
  settings: ValueSettings,
): OptionDefinition<Choices[number] | undefined> {
  return { ...settings, choices, parse: (texts) => texts.at(-1) };
}

/** An option without a value: `true` if it was given. */
export function flag(description: string, short?: string): OptionDefinition<boolean> {
  return { description, short, parse: (texts) => texts.length > 0 };
}

/** An option with two forms, `--graph` and `--no-graph`; undefined if neither was given. */
export function toggle(description: string): OptionDefinition<boolean | undefined> {
  return { description, hasNegation: true, parse: (texts) => (texts.length === 0 ? undefined : texts.at(-1) === ON) };
}

/** The text that {@link toggle} parses as true. */
export const ON = 'on';

/** `maxAge` as `--max-age`. */
export function flagOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
