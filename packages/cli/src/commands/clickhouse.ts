import { defineCommand } from '../command-line/command.ts';
import { option } from '../command-line/command.ts';
import { EXIT_STATUS, UsageError } from '../terminal.ts';
import { text, wholeNumber } from '../values.ts';

/** `clickhouse ddl`: the SQL that creates the table, for the administrator of the server. */
export const command = defineCommand({
  examples: [
    ['convotel clickhouse ddl', 'the table, explained'],
    ['convotel clickhouse ddl --days 90 | clickhouse-client --multiquery', 'make it; spans are kept for 90 days'],
    ['convotel clickhouse ddl --cluster main', 'on every server of a cluster: sharded, replicated'],
  ],
  argument: { name: 'what', description: 'ddl', choices: ['ddl'] },
  options: {
    cluster: option(text, {
      placeholder: 'name',
      description: 'the cluster, as system.clusters names it',
      defaultText: 'one server',
    }),
    database: option(text, { placeholder: 'name', description: 'the database', default: 'otel' }),
    days: option(wholeNumber(1, 36_500), {
      placeholder: 'days',
      description: 'how long spans are kept',
      default: '30',
    }),
  },
  run: async ({ argument, options, terminal }) => {
    if (argument !== 'ddl') throw new UsageError(`clickhouse takes ddl, got "${argument}".`);
    const { clickHouseTableDefinition } = await import('@convotel/query');
    const { cluster, database, days: keepDays } = options;
    terminal.writeOutput(clickHouseTableDefinition({ cluster, database, keepDays }));
    return EXIT_STATUS.answered;
  },
});
