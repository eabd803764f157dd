import { defineCommand, flagOf } from '../command-line/command.ts';
import type { Command, CommandEntry, OptionDefinition } from '../command-line/command.ts';
import { UsageError, EXIT_STATUS } from '../terminal.ts';

/** `completion`: prints a script for shell completion of commands, options and their values. */
export const command = defineCommand({
  examples: [
    ['source <(convotel completion bash)', 'in ~/.bashrc'],
    ['convotel completion zsh > "${fpath[1]}/_convotel"', 'then start zsh again'],
    ['convotel completion fish > ~/.config/fish/completions/convotel.fish', 'fish finds it by itself'],
  ],
  argument: { name: 'shell', description: 'bash, zsh or fish', choices: ['bash', 'zsh', 'fish'] },
  options: {},
  run: async ({ argument, commands, terminal }) => {
    const scripts: Readonly<Record<string, (commands: readonly Completed[]) => string>> = {
      bash: bashScript,
      zsh: zshScript,
      fish: fishScript,
    };
    const script = Object.hasOwn(scripts, argument) ? scripts[argument] : undefined;
    if (script === undefined) throw new UsageError(`completion takes bash, zsh or fish, got "${argument}".`);
    terminal.writeOutput(script(await Promise.all(commands.map(loadCompleted))));
    return EXIT_STATUS.answered;
  },
});

/** A command's data for shell completion. */
interface Completed extends Omit<CommandEntry, 'load'> {
  options: CompletedOption[];
  /** Values of its argument, if known. */
  words: readonly string[];
}

interface CompletedOption {
  long: string;
  short?: string | undefined;
  description: string;
  /** The value: one of `words`, a file, or something that cannot be completed; absent for options without a value. */
  value?: { name: string; words: readonly string[]; isFile: boolean };
}

async function loadCompleted({ name, summary, load }: CommandEntry): Promise<Completed> {
  const { command: loaded } = await load();
  return { name, summary, options: optionsOf(loaded), words: loaded.argument?.choices ?? [] };
}

function optionsOf({ options }: Command): CompletedOption[] {
  return Object.entries(options).flatMap(([name, option]) => {
    const long = flagOf(name).slice(2);
    const completed = { long, short: option.short, description: option.description, ...valueOf(option) };
    return option.hasNegation === true ? [completed, { long: `no-${long}`, description: 'numbers only' }] : [completed];
  });
}

function valueOf({ placeholder, choices, suggestions }: OptionDefinition<unknown>): Pick<CompletedOption, 'value'> {
  if (placeholder === undefined) return {};
  const isFile = placeholder === 'file' || placeholder === 'where';
  return {
    value: { name: placeholder, words: choices ?? suggestions ?? (placeholder === 'where' ? ['local'] : []), isFile },
  };
}

function bashScript(commands: readonly Completed[]): string {
  const values = new Map<string, string>();
  const unknown: string[] = [];
  for (const option of commands.flatMap(({ options }) => options)) {
    const forms = writtenForms(option).join('|');
    const completion = option.value === undefined ? undefined : bashValue(option.value);
    if (completion === '') unknown.push(forms);
    else if (completion !== undefined) values.set(forms, completion);
  }
  const cases = [...values].map(([forms, completion]) => `${forms}) ${completion} return ;;`);
  const called = commands.map(({ name, options, words }) => {
    const known = [...words, ...options.map(({ long }) => `--${long}`), '--help'];
    return `${name}) words='${known.join(' ')}' ;;`;
  });
  const names = commands.map(({ name }) => name).join(' ');
  return `# Completes the words of convotel in bash: source <(convotel completion bash)
_convotel() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} called= words= index IFS=$' \\t\\n'
  for ((index = 1; index < COMP_CWORD; index++)); do
    if [[ \${COMP_WORDS[index]} != -* ]]; then called=\${COMP_WORDS[index]}; break; fi
  done
  COMPREPLY=()
  case $before in
    ${[...new Set(unknown)].join('|')}) return ;;
    ${cases.join('\n    ')}
  esac
  case $called in
    '') words='${names} help --help --version' ;;
    help) words='${names}' ;;
    ${called.join('\n    ')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -F _convotel convotel
`;
}

function bashValue({ words, isFile }: NonNullable<CompletedOption['value']>): string {
  const known = words.length === 0 ? '' : `COMPREPLY+=($(compgen -W '${words.join(' ')}' -- "$word"));`;
  // File names may contain spaces.
  const files = `compopt -o filenames 2>/dev/null; IFS=$'\\n'; COMPREPLY+=($(compgen -f -- "$word"));`;
  return isFile ? `${known} ${files}`.trim() : known;
}

function writtenForms({ long, short }: CompletedOption): string[] {
  return [`--${long}`, ...(short === undefined ? [] : [`-${short}`])];
}

function zshScript(commands: readonly Completed[]): string {
  const quoted = (text: string): string => text.replaceAll("'", String.raw`'\''`);
  const escaped = (text: string): string => quoted(text.replace(/[[\]:\\]/g, String.raw`\$&`));
  const specOf = (option: CompletedOption): string => {
    const forms = writtenForms(option);
    const { value, description } = option;
    const values =
      value === undefined ? '' : `:${value.name}:${value.isFile ? '_files' : `(${value.words.join(' ')})`}`;
    const exclusive = forms.length > 1 ? `'(${forms.join(' ')})'{${forms.join(',')}}` : forms[0];
    return `${exclusive}'[${escaped(description)}]${values}'`;
  };
  return `#compdef convotel
# Completes the words of convotel in zsh: convotel completion zsh > "\${fpath[1]}/_convotel"
_convotel() {
  local -a commands=(
${commands.map(({ name, summary }) => `    '${name}:${quoted(summary.replaceAll(':', String.raw`\:`))}'`).join('\n')}
    'help:show the options of a command'
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local called=\${words[2]}
  shift words
  (( CURRENT-- ))
  case $called in
    help) _describe command commands ;;
${commands
  .map(({ name, options, words }) => {
    const specs = [...options.map(specOf), "--help'[show the options]'", `'1:argument:(${words.join(' ')})'`];
    return `    ${name})\n      _arguments \\\n        ${specs.join(' \\\n        ')} ;;`;
  })
  .join('\n')}
  esac
}
if [[ $funcstack[1] == _convotel ]]; then _convotel "$@"; else compdef _convotel convotel; fi
`;
}

function fishScript(commands: readonly Completed[]): string {
  const quoted = (text: string): string => `'${text.replace(/[\\']/g, String.raw`\$&`)}'`;
  const lines = commands.flatMap(({ name, summary, options, words }) => {
    const inside = `complete -c convotel -n '__fish_seen_subcommand_from ${name}'`;
    return [
      `complete -c convotel -n __fish_use_subcommand -a ${name} -d ${quoted(summary)}`,
      ...(words.length === 0 ? [] : [`${inside} -a ${quoted(words.join(' '))}`]),
      ...options.map(({ long, short, description, value }) => {
        const named = `${inside} -l ${long}${short === undefined ? '' : ` -s ${short}`}`;
        const known = value === undefined || value.words.length === 0 ? '' : ` -a ${quoted(value.words.join(' '))}`;
        const needsValue = value === undefined ? '' : value.isFile ? ' -r -F' : ' -x';
        return `${named}${needsValue}${known} -d ${quoted(description)}`;
      }),
    ];
  });
  return `# Completes the words of convotel in fish: convotel completion fish > ~/.config/fish/completions/convotel.fish
complete -c convotel -f
complete -c convotel -n __fish_use_subcommand -a help -d 'show the options of a command'
complete -c convotel -n '__fish_seen_subcommand_from help' -a ${quoted(commands.map(({ name }) => name).join(' '))}
${lines.join('\n')}
`;
}
