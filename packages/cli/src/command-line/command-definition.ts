import type { ExitStatus } from '../exit-status.ts';
import type { Terminal } from '../terminal.ts';

/** One option as the help shows it. */
export interface OptionDefinition {
  /** As commander reads it, such as `--limit <rows>`. */
  flags: string;
  description: string;
  /** Shown in the help; the command itself resolves it. */
  defaultText?: string;
  /** May be given several times; all values arrive in order. */
  isRepeatable?: boolean;
  choices?: readonly string[];
}

/** Values of the options by their camel-cased name, as written; absent where not given. */
export type OptionTexts = Readonly<Record<string, string | undefined>>;

/** One call of a command, with its words taken apart but not yet understood. */
export interface Invocation {
  /** The positional argument; empty where the command takes none. */
  argument: string;
  texts: OptionTexts;
  flags: ReadonlySet<string>;
  lists: Readonly<Record<string, readonly string[]>>;
  terminal: Terminal;
  /** Runs another call of the command line on a terminal, as a person would. */
  call(words: readonly string[], terminal: Terminal): Promise<ExitStatus>;
}

/** One command. Kept light: whatever it needs to run is imported when it runs. */
export interface CommandDefinition {
  name: string;
  /** One line, lower-case, without a full stop. */
  summary: string;
  /** Whole calls with a word on what they are for, shown first in the help. */
  examples: readonly (readonly [call: string, meaning: string])[];
  argument?: { name: string; description: string };
  options: readonly OptionDefinition[];
  run(invocation: Invocation): Promise<ExitStatus>;
}
