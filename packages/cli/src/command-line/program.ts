import { Command as Parser, Option } from 'commander';
import type { ExitStatus } from '../exit-status.ts';
import type { Terminal } from '../terminal.ts';
import { readVersion } from '../version.ts';
import type { Call, Command, CommandEntry, Example } from './command.ts';
import { flagOf } from './options.ts';
import type { OptionDefinition, OptionDefinitions } from './options.ts';

const FIRST_STEPS: readonly Example[] = [
  ['convotel demo', 'make example data and see every answer on it'],
  ['convotel serve', 'run the embedded back end: spans in, answers out'],
  ['convotel recent', 'the newest conversations'],
  ['convotel summary <id>', 'where the time of one of them went'],
  ['convotel averages --hours 24', 'which step makes users wait'],
];

/**
 * Runs the command that `words` name, of which alone the definition is loaded; for the others the table's line is enough.
 * @throws `CommanderError` after a page of help, and after a message about words that the command does not take.
 */
export async function runProgram(
  entries: readonly CommandEntry[],
  words: readonly string[],
  terminal: Terminal,
  runWords: Call<OptionDefinitions>['runWords'],
): Promise<ExitStatus> {
  const name = words.find((word) => !word.startsWith('-'));
  const called = entries.find((entry) => entry.name === name);
  const definition = called === undefined ? undefined : (await called.load()).command;

  let call: Call<OptionDefinitions> | undefined;
  const program = configure(new Parser('convotel'), terminal)
    .usage('<command> [options]')
    .description('Which step makes your users wait, what failed, is it better since yesterday?')
    .version(readVersion(), '--version', 'print the version')
    .helpOption('-h, --help', 'show this page; after a command, its own')
    .helpCommand(false)
    .addHelpText('before', examplesText(FIRST_STEPS));
  for (const entry of entries) {
    const parser = configure(program.command(entry.name), terminal).summary(entry.summary);
    if (entry !== called || definition === undefined) continue;
    parser
      .description(`${entry.summary[0]?.toUpperCase()}${entry.summary.slice(1)}.`)
      .helpOption('-h, --help', 'show this page')
      .addHelpText('before', examplesText(definition.examples))
      .action(() => {
        call = { ...parsedWords(parser, definition), terminal, runWords };
      });
    if (definition.argument !== undefined) {
      parser.argument(`<${definition.argument.name}>`, definition.argument.description);
    }
    for (const [key, option] of Object.entries(definition.options)) parser.addOption(commanderOption(key, option));
  }
  await program.parseAsync([...words], { from: 'user' });
  // Without a command, the parser has shown the help and ended with an error.
  if (call === undefined || definition === undefined) throw new TypeError('the parser ended without a call');
  return definition.run(call);
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
      outputError: (text, write) => write(text.replace(/^error: /, 'convotel: ')),
    });
}

function commanderOption(key: string, definition: OptionDefinition<unknown>): Option {
  const { placeholder, description, defaultText, choices } = definition;
  const shown = defaultText === undefined ? description : `${description} (default: ${defaultText})`;
  const option = new Option(placeholder === undefined ? flagOf(key) : `${flagOf(key)} <${placeholder}>`, shown);
  if (choices !== undefined) option.choices(choices);
  if (definition.isRepeatable === true) {
    option.argParser<string[]>((value, earlier) => [...(earlier ?? []), value]);
  }
  return option;
}

/** What was written behind the command's name, each option read by its definition. */
function parsedWords(
  parser: Parser,
  { argument, options }: Command,
): Pick<Call<OptionDefinitions>, 'argument' | 'options'> {
  return {
    argument: argument === undefined ? '' : (parser.processedArgs[0] as string),
    options: Object.fromEntries(
      Object.entries(options).map(([key, option]) => [key, option.parse(textsOf(parser, key), flagOf(key))]),
    ),
  };
}

/** What was written for an option; one empty text for an option without a value that was given. */
function textsOf(parser: Parser, key: string): string[] {
  const option = parser.options.find((each) => each.long === flagOf(key));
  const value: unknown = parser.getOptionValue(option?.attributeName() ?? key);
  // Commander keeps `--no-color` as `color: false`, and `color: true` where it was not given.
  if (option?.negate === true) return value === false ? [''] : [];
  if (typeof value === 'string') return [value];
  if (Array.isArray(value)) return value as string[];
  return value === true ? [''] : [];
}

function examplesText(examples: readonly Example[]): string {
  const width = Math.max(...examples.map(([call]) => call.length));
  return `Examples:\n${examples.map(([call, meaning]) => `  $ ${call.padEnd(width)}   # ${meaning}\n`).join('')}`;
}
