import { readFileSync } from 'node:fs';
import { Command as Parser, Option } from 'commander';
import { UsageError } from '../terminal.ts';
import type { ExitStatus, Terminal } from '../terminal.ts';
import { readSettings } from '../settings/read-settings.ts';
import type { Settings } from '../settings/settings.ts';
import { flagOf, ON } from './command.ts';
import type { Call, Command, CommandEntry, Example, OptionDefinition, OptionDefinitions } from './command.ts';
import { printable, withoutCredentials } from '../text/escape.ts';

const FIRST_STEPS: readonly Example[] = [
  ['convotel demo', 'make example data and see every answer on it'],
  ['convotel serve', 'run the embedded back end: spans in, answers out'],
  ['convotel recent', 'the newest conversations'],
  ['convotel summary <id>', 'where the time of one of them went'],
  ['convotel averages --hours 24', 'which step makes users wait'],
];

/**
 * Runs the command named in `words`. Only its definition is loaded; help lists the others from the table.
 * @throws `CommanderError` after printing help, or a message about arguments that the command does not accept.
 */
export async function runProgram(
  entries: readonly CommandEntry[],
  words: readonly string[],
  terminal: Terminal,
  runWords: Call<OptionDefinitions>['runWords'],
): Promise<ExitStatus> {
  const name = words.find((word) => !word.startsWith('-'));
  const [first = ''] = words;
  if (name !== undefined && first.startsWith('-') && !['-h', '--help', '-v', '--version'].includes(first)) {
    const [option] = first.split('=');
    throw new UsageError(`${option} must come after the command: convotel <command> ${option}.`);
  }
  if (name === 'help') return runProgram(entries, helpWords(words, entries), terminal, runWords);
  const called = entries.find((entry) => entry.name === name);
  const definition = called === undefined ? undefined : (await called.load()).command;

  let call: Call<OptionDefinitions> | undefined;
  const program = configure(new Parser('convotel'), terminal)
    .usage('<command> [options]')
    .description('Which step makes your users wait, what failed, is it better since yesterday?')
    .version(readVersion(), '-v, --version', 'print the version')
    .helpOption('-h, --help', 'show this page; after a command, its own')
    .helpCommand(false)
    .addHelpText('after', '\n`convotel help <command>` shows the options of a command.')
    .addHelpText('before', examplesText(FIRST_STEPS));
  // Help and suggestions name all commands; a command that stands first is the only one that its line can mean.
  for (const entry of called !== undefined && first === name ? [called] : entries) {
    const parser = configure(program.command(entry.name), terminal).summary(entry.summary);
    if (entry !== called || definition === undefined) continue;
    parser
      .description(`${entry.summary[0]?.toUpperCase()}${entry.summary.slice(1)}.`)
      .helpOption('-h, --help', 'show this page')
      .addHelpText('before', examplesText(definition.examples))
      .action(async () => {
        const readsSettings = 'config' in definition.options && definition.readsSettingsItself !== true;
        const settings = readsSettings ? await readSettings(textsOf(parser, 'config').at(-1), terminal) : {};
        call = { ...parsedWords(parser, definition, settings), settings, commands: entries, terminal, runWords };
      });
    if (definition.argument !== undefined) {
      parser.argument(`<${definition.argument.name}>`, definition.argument.description);
    }
    for (const [key, option] of Object.entries(definition.options)) {
      parser.addOption(commanderOption(key, option));
      if (option.hasNegation === true) parser.addOption(new Option(flagOf(key).replace('--', '--no-'), 'numbers only'));
    }
  }
  await program.parseAsync([...words], { from: 'user' });
  // Without a command, the parser has printed the help and thrown an error.
  if (call === undefined || definition === undefined) throw new TypeError('the parser ended without a call');
  return definition.run(call);
}

/** Rewrites `help recent` as `recent --help`; an unknown name is passed on, to be rejected with a suggestion. */
function helpWords(words: readonly string[], entries: readonly CommandEntry[]): string[] {
  const [asked] = words.slice(words.indexOf('help') + 1);
  if (asked === undefined || asked === 'help') return ['--help'];
  return entries.some(({ name }) => name === asked) ? [asked, '--help'] : [asked];
}

function configure(parser: Parser, terminal: Terminal): Parser {
  return parser
    .exitOverride()
    .showSuggestionAfterError(true)
    .showHelpAfterError('Run it with --help to see examples and all options.')
    .allowExcessArguments(false)
    .configureOutput({
      writeOut: (text) => terminal.writeOutput(text),
      writeErr: (text) => terminal.writeError(text),
      outputError: (text, write) => write(shownError(text)),
    });
}

/**
 * The parser's message. It is escaped for a terminal, except for the line break before a suggestion, because it repeats
 * the user's input. The value after `=` and parts of an address are removed, because they may be secrets.
 */
function shownError(text: string): string {
  const [, message = '', suggestion = ''] = /^(?:error: )?(.*?)(\n\(Did you mean [^\n]*\?\))?\n?$/s.exec(text) ?? [];
  const safe = message
    .replace(/^(unknown option '-[^=]*)=.*'$/s, "$1'")
    .replace(/^(unknown command ')(.*)'$/s, (_all, start: string, word: string) => `${start}${shownWord(word)}'`);
  return `convotel: ${withoutCredentials(printable(safe))}${suggestion}\n`;
}

/** Removes credentials and query from a word that may be a misplaced address. */
function shownWord(word: string): string {
  return word.replace(/[?#].*$/s, '').replace(/^([a-z][a-z\d+.-]*:\/\/)?.*@/is, '$1');
}

function commanderOption(key: string, definition: OptionDefinition<unknown>): Option {
  const { placeholder, description, defaultText, choices } = definition;
  const shown = defaultText === undefined ? description : `${description} (default: ${defaultText})`;
  const names = definition.short === undefined ? flagOf(key) : `-${definition.short}, ${flagOf(key)}`;
  const option = new Option(placeholder === undefined ? names : `${names} <${placeholder}>`, shown);
  if (choices !== undefined) option.choices(choices);
  if (definition.isRepeatable === true) {
    option.argParser<string[]>((value, earlier) => [...(earlier ?? []), value]);
  }
  return option;
}

/** The argument and the options, each parsed by its definition. */
function parsedWords(
  parser: Parser,
  { argument, options }: Command,
  settings: Settings,
): Pick<Call<OptionDefinitions>, 'argument' | 'options'> {
  const valueOf = (key: string, option: OptionDefinition<unknown>): unknown => {
    const written = textsOf(parser, key);
    const setting = written.length === 0 ? option.setting?.(settings) : undefined;
    return setting === undefined
      ? option.parse(written, flagOf(key))
      : option.parse([setting], `${flagOf(key)} (in convotel.json)`);
  };
  return {
    argument: argument === undefined ? '' : (parser.processedArgs[0] as string),
    options: Object.fromEntries(Object.entries(options).map(([key, option]) => [key, valueOf(key, option)])),
  };
}

/** The values given for an option; one empty string for a flag that was given. */
function textsOf(parser: Parser, key: string): string[] {
  const option = parser.options.find((each) => each.long === flagOf(key));
  const value: unknown = parser.getOptionValue(option?.attributeName() ?? key);
  // Commander stores `--no-color` as `color: false`, and `color: true` if it was not given.
  if (option?.negate === true) return value === false ? [''] : [];
  if (parser.options.some((each) => each.long === flagOf(key).replace('--', '--no-'))) {
    return value === undefined ? [] : [value === true ? ON : ''];
  }
  if (typeof value === 'string') return [value];
  if (Array.isArray(value)) return value as string[];
  return value === true ? [''] : [];
}

function examplesText(examples: readonly Example[]): string {
  const width = Math.max(...examples.map(([call]) => call.length));
  return `Examples:\n${examples.map(([call, meaning]) => `  $ ${call.padEnd(width)}   # ${meaning}\n`).join('')}`;
}

/** The version in this package's `package.json`. */
export function readVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  return (manifest as { version: string }).version;
}
