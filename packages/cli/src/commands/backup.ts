import { defineCommand } from '../command-line/command.ts';
import { STORE_OPTION } from '../command-line/shared-options.ts';
import { EXIT_STATUS } from '../terminal.ts';
import { resolveStorePath, tokenIn } from '../sources/open-source.ts';

/** `backup`: makes a consistent copy of the store, even while `serve` has it open. */
export const command = defineCommand({
  examples: [
    ['convotel backup before-the-update.duckdb', 'a copy of the store as it is at this moment'],
    ['convotel recent --store before-the-update.duckdb', 'ask the copy'],
  ],
  argument: { name: 'file', description: 'path of the copy; it must not exist yet' },
  options: STORE_OPTION,
  run: async ({ argument, options, terminal }) => {
    const { backUpStore } = await import('@convotel/local');
    const { bytes, from, path } = await backUpStore(resolveStorePath(options.store, terminal.environment), argument, {
      token: tokenIn(terminal.environment),
    });
    const maker = from === undefined ? '' : `, made by the back end at ${from}`;
    terminal.writeOutput(`${path}: ${(bytes / 1024 ** 2).toFixed(1)} MiB${maker}\n`);
    return EXIT_STATUS.answered;
  },
});
