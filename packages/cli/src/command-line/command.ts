import type { ExitStatus, Terminal } from '../terminal.ts';
import type { Settings } from '../settings/settings.ts';
import type { ValueParser } from '../values.ts';

/** A complete call and what it is for, shown first in the help. */
export type Example = readonly [call: string, meaning: string];

/** The positional argument of a command, as the help shows it. */
export interface ArgumentDefinition {
  name: string;
  description: string;
  /** Values that shells complete; others may be valid too. */
  choices?: readonly string[];
}

/** One call of a command, parsed. */
export interface Call<Options extends OptionDefinitions> {
  /** The positional argument; empty where the command takes none. */
  argument: string;
  options: OptionValues<Options>;
  /** What `convotel.json` says. */
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
  /** Reads `convotel.json` itself, and runs even if that cannot be read. @defaultValue `false` */
  readsSettingsItself?: boolean | undefined;
  run(call: Call<Options>): Promise<ExitStatus>;
}

/** A command as the help lists it; its definition is loaded only when it is called. */
export interface CommandEntry {
  name: string;
  /** One line, lower-case, without a full stop. */
  summary: string;
  load(): Promise<{ command: Command }>;
}

/** Types the options that `run` receives. */
export function defineCommand<const Options extends OptionDefinitions>(command: Command<Options>): Command<Options> {
  return command;
}

/**
 * One option of a command. Its name in the record of the command becomes the name on the command line: `maxAge` is
 * written `--max-age`, and the command receives the parsed value as `options.maxAge`.
 */
export interface OptionDefinition<Value> {
  /** Single-letter form: `n` for `-n`. */
  short?: string | undefined;
  /** Names the value in the help, such as `rows` in `--limit <rows>`; absent where the option takes no value. */
  placeholder?: string | undefined;
  description: string;
  /** The default as help shows it. */
  defaultText?: string | undefined;
  choices?: readonly string[] | undefined;
  /** Values that completion offers; the option may take others. */
  suggestions?: readonly string[] | undefined;
  /** The value from `convotel.json` if the option was not given, as the user would write it. */
  setting?: ((settings: Settings) => string | undefined) | undefined;
  /** Whether it has a second form, such as `--no-graph` for `--graph`. */
  hasNegation?: boolean | undefined;
  /** Whether it may be repeated. */
  isRepeatable?: boolean | undefined;
  /**
   * Parses the texts that were given: none if the option was not given.
   * @param flag - the option as it is written, such as `--limit`, for error messages
   * @throws `UsageError` when the text is not a valid value.
   */
  parse(texts: readonly string[], flag: string): Value;
}

/** The options of a command by name. */
export type OptionDefinitions = Readonly<Record<string, OptionDefinition<unknown>>>;

/** What a command receives: each option's value, typed by its definition. */
export type OptionValues<Options extends OptionDefinitions> = {
  readonly [Name in keyof Options]: Options[Name] extends OptionDefinition<infer Value> ? Value : never;
};

interface ValueSettings {
  short?: string;
  placeholder: string;
  description: string;
  /** Shown as the default when the value comes from elsewhere. */
  defaultText?: string;
  setting?: (settings: Settings) => string | undefined;
  suggestions?: readonly string[];
}

/** An option with a value; `default` is given as the user would write it. */
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

/** The text passed to {@link toggle} when it is on. */
export const ON = 'on';

/** `maxAge` as `--max-age`. */
export function flagOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
