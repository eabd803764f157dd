import type { CommandDefinition } from '../command-line/command-definition.ts';
import { EXIT_STATUS } from '../exit-status.ts';

/** `backup`: a consistent copy of the store, also while `serve` runs on it. */
export const backupCommand: CommandDefinition = {
  name: 'backup',
  summary: 'copy the store to a file, also while serve runs on it',
  examples: [
    ['convotel backup before-the-update.duckdb', 'a copy of the store, as it is at this moment'],
    ['convotel recent --store before-the-update.duckdb', 'ask the copy'],
  ],
  argument: { name: 'file', description: 'where the copy goes; nothing may be there yet' },
  options: [
    {
      flags: '--store <file>',
      description: 'the store to copy',
      defaultText: '$XDG_DATA_HOME/convotel/conversations.duckdb, or CONVOTEL_STORE',
    },
  ],
  run: async ({ argument, texts, terminal }) => {
    const { backUpStore } = await import('@convotel/local');
    const { resolveStorePath } = await import('../sources/store-path.ts');
    const { bytes, from, path } = await backUpStore(resolveStorePath(texts['store'], terminal.environment), argument);
    const maker = from === undefined ? '' : `, made by the back end at ${from}`;
    terminal.writeOutput(`${path}: ${(bytes / 1024 ** 2).toFixed(1)} MiB${maker}\n`);
    return EXIT_STATUS.answered;
  },
};
