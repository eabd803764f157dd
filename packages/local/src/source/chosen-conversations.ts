import { type DuckDBConnection, VARCHAR } from '@duckdb/node-api';
import type { ConversationFilters } from '@convotel/query';
import { sqlFile } from '../store/sql-file.ts';

/**
 * Puts a view in front of `readable_spans` that shows only the conversations which `filters` choose, whole. It is gone
 * with the transaction. Without filters the store's own view stays, which costs nothing.
 */
export async function narrowToChosen(connection: DuckDBConnection, filters: ConversationFilters = {}): Promise<void> {
  const { service, workflow, session, outcome } = filters;
  if ([service, workflow, session, outcome].every((filter) => filter === undefined)) return;
  await connection.run('CREATE TEMP TABLE chosen (trace_id UHUGEINT)');
  await connection.run(
    `INSERT INTO chosen ${sqlFile('chosen-conversations')}`,
    {
      service: service ?? null,
      workflow: workflow ?? null,
      session: session ?? null,
      outcome: outcome ?? null,
    },
    { service: VARCHAR, workflow: VARCHAR, session: VARCHAR, outcome: VARCHAR },
  );
  await connection.run(
    'CREATE TEMP VIEW readable_spans AS SELECT rowid AS row_id, * FROM main.spans WHERE trace_id IN (SELECT trace_id FROM chosen)',
  );
}
