import { defineCommand, option } from '../command-line/command.ts';
import { ACCESS_OPTIONS, accessMistake, tokensOf, SOURCE_OPTIONS } from '../command-line/shared-options.ts';
import { wholeNumber } from '../values.ts';
import { EXIT_STATUS, untilAborted } from '../terminal.ts';
import { openLastingSource } from '../sources/open-source.ts';
import { pageFolder, pageSettings } from '../sources/page.ts';

/** `ui`: serves the web page for any source, until Ctrl-C, with exit status 0. */
export const command = defineCommand({
  examples: [
    ['convotel ui', 'the page over the embedded back end'],
    ['convotel ui --from http://localhost:16686', 'the same over a Jaeger'],
    ['convotel ui --from spans.jsonl --port 0', 'over a file, on a free port'],
  ],
  options: {
    ...SOURCE_OPTIONS,
    ...ACCESS_OPTIONS,
    port: option(wholeNumber(0, 65_535), {
      placeholder: 'number',
      description: 'TCP port; 0 picks a free one',
      default: '4319',
    }),
  },
  run: async ({ options, settings, terminal }) => {
    const { startPageServer } = await import('@convotel/local');
    const source = await openLastingSource({ ...options, setting: settings.from }, terminal.environment);
    try {
      const page = await startPageServer({
        source,
        pageFolder: pageFolder(),
        pageSettings: pageSettings(settings),
        port: options.port,
        host: options.host,
        tokens: tokensOf(options),
        onNotice: (notice) => terminal.writeError(`convotel ui: ${notice}\n`),
      }).catch((error: unknown) => {
        throw accessMistake(error);
      });
      try {
        // The address is on the first line, where a script can read it.
        terminal.writeOutput(
          [`convotel ui shows the page at ${page.url}`, `  Reads:  ${source.location}`, 'Ctrl-C ends it.\n'].join('\n'),
        );
        await untilAborted(terminal.interrupted);
        return EXIT_STATUS.answered;
      } finally {
        await page.stop();
      }
    } finally {
      await source.close();
    }
  },
});
