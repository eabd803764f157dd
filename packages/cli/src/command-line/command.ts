import type { ExitStatus } from '../exit-status.ts';
import type { Settings } from '../settings/settings.ts';
import type { Terminal } from '../terminal.ts';
import type { OptionDefinitions, OptionValues } from './options.ts';

/** A whole call with a word on what it is for, shown first in the help. */
export type Example = readonly [call: string, meaning: string];

/** The positional argument of a command, as the help shows it. */
export interface ArgumentDefinition {
  name: string;
  description: string;
  /** Words that it may be, for shells to complete; others may be right too. */
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
  /** Every command there is. */
  commands: readonly CommandEntry[];
  /** Runs another call of the command line on a terminal, as a person would. */
  runWords(words: readonly string[], terminal: Terminal): Promise<ExitStatus>;
}

/** One command, whose name and summary stand in the table of commands. */
export interface Command<Options extends OptionDefinitions = OptionDefinitions> {
  examples: readonly Example[];
  argument?: ArgumentDefinition | undefined;
  options: Options;
  /** Reads `convotel.json` itself, and runs also where that cannot be read. @defaultValue `false` */
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
