import { defineCommand, option } from '../command-line/command.ts';
import { SOURCE_OPTIONS } from '../command-line/shared-options.ts';
import { EXIT_STATUS, UsageError } from '../terminal.ts';
import { resolveStorePath, resolveWhere, serveAddressIn, tokenIn } from '../sources/open-source.ts';
import { printable, withoutCredentials } from '../text/escape.ts';
import { text } from '../values.ts';

/** `forget`: deletes all spans of one conversation, and prints how many there were. */
export const command = defineCommand({
  examples: [
    ['convotel forget 20251008_143022_a1b2c3d4', 'every span of it, texts included, is off the disk when this ends'],
    [
      'convotel forget call-17 --from http://team:4318',
      'in a `serve` elsewhere; CONVOTEL_TOKEN must be one that may delete',
    ],
  ],
  argument: { name: 'id', description: 'the whole id of a conversation, or its trace id' },
  options: {
    ...SOURCE_OPTIONS,
    from: option(text, {
      placeholder: 'where',
      description: 'local, or the address of a `convotel serve` (localhost:4318, unix:/run/convotel.sock)',
      defaultText: 'local, or CONVOTEL_FROM',
    }),
  },
  run: async ({ argument, options, settings, terminal }) => {
    const { environment } = terminal;
    const where = resolveWhere({ ...options, setting: settings.from }, environment);
    const address = where === 'local' ? undefined : await serveAddressIn(where);
    if (where !== 'local' && address === undefined) {
      throw new UsageError(
        `convotel deletes from its own store only, not from ${withoutCredentials(where)}. Give --store, or the address of a \`convotel serve\` as --from.`,
      );
    }
    const { forgetConversation } = await import('@convotel/local');
    const { traces, spans, from } = await forgetConversation({
      conversationId: argument,
      ...(address === undefined ? { storePath: resolveStorePath(options.store, environment) } : { address }),
      token: tokenIn(environment),
    });
    const place = withoutCredentials(from ?? resolveStorePath(options.store, environment));
    const traceText = traces === 1 ? '' : ` of ${traces} traces`;
    terminal.writeOutput(
      `${printable(argument)}: ${spans} span${spans === 1 ? '' : 's'}${traceText} deleted from ${printable(place)}, and off its disk.\n` +
        'Backups, files put aside as damaged and other back ends may still hold copies.\n',
    );
    return EXIT_STATUS.answered;
  },
});
