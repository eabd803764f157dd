import { Command, Option } from 'commander';
import type { ExitStatus } from '../exit-status.ts';
import type { Terminal } from '../terminal.ts';
import { readVersion } from '../version.ts';
import type { CommandDefinition, Invocation, OptionDefinition } from './command-definition.ts';

const FIRST_STEPS: CommandDefinition['examples'] = [
  ['convotel demo', 'make example data and see every answer on it'],
  ['convotel serve', 'run the embedded back end: spans in, answers out'],
  ['convotel recent', 'the newest conversations'],
  ['convotel summary <id>', 'where the time of one of them went'],
  ['convotel averages --hours 24', 'which step makes users wait'],
];

/** Builds the parser for `commands`. `call` runs a call of its own; `onEnd` hears the status of the one that ran. */
export function buildProgram(
  commands: readonly CommandDefinition[],
  terminal: Terminal,
  call: Invocation['call'],
  onEnd: (status: ExitStatus) => void,
): Command {
  const program = configure(new Command('convotel'), terminal)
    .usage('<command> [options]')
    .description('Which step makes your users wait, what failed, is it better since yesterday?')
    .version(readVersion(), '--version', 'print the version')
    .helpOption('-h, --help', 'show this page; after a command, its own')
    .helpCommand(false)
    .addHelpText('before', examplesText(FIRST_STEPS));

  for (const definition of commands) {
    const command = configure(program.command(definition.name), terminal)
      .summary(definition.summary)
      .description(`${definition.summary[0]?.toUpperCase()}${definition.summary.slice(1)}.`)
      .helpOption('-h, --help', 'show this page')
      .addHelpText('before', examplesText(definition.examples))
      .action(async () => onEnd(await definition.run({ ...wordsOf(command, definition), terminal, call })));
    if (definition.argument !== undefined) {
      command.argument(`<${definition.argument.name}>`, definition.argument.description);
    }
    for (const option of definition.options) command.addOption(toCommanderOption(option));
  }
  return program;
}

function configure(command: Command, terminal: Terminal): Command {
  return command
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

function toCommanderOption({ flags, description, defaultText, isRepeatable, choices }: OptionDefinition): Option {
  const shown = defaultText === undefined ? description : `${description} (default: ${defaultText})`;
  const option = new Option(flags, shown);
  if (choices !== undefined) option.choices(choices);
  if (isRepeatable === true) {
    option.argParser<string[]>((value, earlier) => [...(earlier ?? []), value]);
  }
  return option;
}

/** What was written behind the command's name. */
function wordsOf(command: Command, definition: CommandDefinition): Omit<Invocation, 'terminal' | 'call'> {
  const texts: Record<string, string> = {};
  const lists: Record<string, string[]> = {};
  const flags = new Set<string>();
  for (const [name, value] of Object.entries(command.opts<Record<string, unknown>>())) {
    if (typeof value === 'string') texts[name] = value;
    else if (Array.isArray(value)) lists[name] = value as string[];
    else if (value === true) flags.add(name);
  }
  // Commander keeps `--no-color` as `color: false`; here it is the flag `noColor`, as it was written.
  for (const option of command.options.filter((each) => each.negate)) {
    const name = option.attributeName();
    if (command.getOptionValue(name) === false) flags.add(`no${name[0]?.toUpperCase()}${name.slice(1)}`);
    flags.delete(name);
  }
  const argument = definition.argument === undefined ? '' : (command.processedArgs[0] as string);
  return { argument, texts, flags, lists };
}

function examplesText(examples: CommandDefinition['examples']): string {
  const width = Math.max(...examples.map(([call]) => call.length));
  return `Examples:\n${examples.map(([call, meaning]) => `  $ ${call.padEnd(width)}   # ${meaning}\n`).join('')}`;
}
