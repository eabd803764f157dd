import { type DuckDBConnection, LIST, listValue, VARCHAR } from '@duckdb/node-api';
import type { SpanRecord } from '@convotel/query';
import { sqlFile } from './sql-file.ts';

/** Step names remembered at one time; a sender that makes up more costs look-ups, not memory. */
const MAX_REMEMBERED = 10_000;

/** What a root has in the column `step_id`; steps count from 1, and what is neither has none. */
const ROOT_STEP_ID = 0;

/** Gives each step name a number of its own, and keeps them in the table `steps`. */
export class StepTable {
  readonly #idByStep = new Map<string, number>();
  readonly #connection: DuckDBConnection;

  constructor(connection: DuckDBConnection) {
    this.#connection = connection;
  }

  /** Makes sure that the steps of `spans` have numbers; writes new ones, as part of the connection's transaction. */
  async learn(spans: readonly SpanRecord[]): Promise<void> {
    if (this.#idByStep.size > MAX_REMEMBERED) this.#idByStep.clear();
    const unknown = new Set<string>();
    for (const { step } of spans) {
      if (step !== undefined && !this.#idByStep.has(step)) unknown.add(step);
    }
    if (unknown.size === 0) return;
    const steps = [...unknown];
    // The database compares them: texts that are not valid Unicode become equal only there.
    const values = { steps: listValue(steps) };
    const types = { steps: LIST(VARCHAR) };
    await this.#connection.run(sqlFile('new-steps'), values, types);
    const ids = await this.#connection.runAndReadAll(sqlFile('step-ids'), values, types);
    for (const [index, [stepId]] of ids.getRows().entries()) this.#idByStep.set(steps[index]!, stepId as number);
  }

  /** The number of a root or of a step that has been learned; undefined for other spans. */
  idOf({ role, step }: SpanRecord): number | undefined {
    if (step !== undefined) return this.#idByStep.get(step);
    return role === 'root' ? ROOT_STEP_ID : undefined;
  }
}
