import type { SpanRecord, SpanRest } from '@convotel/query';
import { DOUBLE, type DuckDBConnection, LIST, UINTEGER, VARCHAR, listValue } from '@duckdb/node-api';
import { sqlFile } from './database.ts';

/** Most resources remembered at one time; a sender that invents more costs rows, not memory. */
const MAX_RESOURCES = 10_000;

interface NewResource {
  resourceId: number;
  record: SpanRecord;
}

/** Gives each resource and instrumentation scope a number, and keeps them in the table `resources`. */
export class ResourceTable {
  readonly #idByKey = new Map<string, number>();
  readonly #new: NewResource[] = [];
  #nextId = 1;
  /** The spans of one request mostly share their resource, by identity. */
  #last: { record: SpanRecord; resourceId: number } | undefined;

  static async open(connection: DuckDBConnection): Promise<ResourceTable> {
    const table = new ResourceTable();
    const rows = await connection.runAndReadAll(
      'SELECT resource_id, service_name, sampling_ratio, scope_name, scope_version, attributes ' +
        'FROM resources ORDER BY resource_id',
    );
    for (const [resourceId, ...parts] of rows.getRows()) {
      table.#remember(JSON.stringify(parts), resourceId as number);
      table.#nextId = (resourceId as number) + 1;
    }
    return table;
  }

  /** The number of the resource of `record`; a new one is written by the next {@link ResourceTable.insertNew}. */
  idOf(record: SpanRecord): number {
    const last = this.#last;
    if (last !== undefined && hasSameResource(record, last.record)) return last.resourceId;
    const key = JSON.stringify(columnsOf(record));
    let resourceId = this.#idByKey.get(key);
    if (resourceId === undefined) {
      resourceId = this.#nextId++;
      this.#remember(key, resourceId);
      this.#new.push({ resourceId, record });
    }
    this.#last = { record, resourceId };
    return resourceId;
  }

  /** Writes the resources that are new; part of the connection's transaction. */
  async insertNew(connection: DuckDBConnection): Promise<void> {
    if (this.#new.length === 0) return;
    const rows = this.#new.map(({ resourceId, record }) => [resourceId, ...columnsOf(record)]);
    const column = (index: number): ReturnType<typeof listValue> => listValue(rows.map((row) => row[index]!));
    await connection.run(
      sqlFile('new-resources'),
      {
        resource_ids: column(0),
        service_names: column(1),
        sampling_ratios: column(2),
        scope_names: column(3),
        scope_versions: column(4),
        attributes: column(5),
      },
      {
        resource_ids: LIST(UINTEGER),
        service_names: LIST(VARCHAR),
        sampling_ratios: LIST(DOUBLE),
        scope_names: LIST(VARCHAR),
        scope_versions: LIST(VARCHAR),
        attributes: LIST(VARCHAR),
      },
    );
    this.#new.length = 0;
  }

  #remember(key: string, resourceId: number): void {
    if (this.#idByKey.size >= MAX_RESOURCES) this.#idByKey.clear();
    this.#idByKey.set(key, resourceId);
  }
}

/** The columns of the table `resources` behind the number, in its order. */
function columnsOf({ serviceName, samplingRatio, rest }: SpanRecord): (string | number | null)[] {
  const { scope, resourceAttributes }: SpanRest = rest ?? {};
  return [
    serviceName ?? null,
    samplingRatio ?? null,
    scope?.name ?? null,
    scope?.version ?? null,
    resourceAttributes === undefined ? null : JSON.stringify(resourceAttributes),
  ];
}

function hasSameResource(a: SpanRecord, b: SpanRecord): boolean {
  return (
    a.rest?.resourceAttributes === b.rest?.resourceAttributes &&
    a.rest?.scope === b.rest?.scope &&
    a.serviceName === b.serviceName &&
    a.samplingRatio === b.samplingRatio
  );
}

/** Most step names remembered at one time; a sender that invents more costs look-ups, not memory. */
const MAX_STEPS = 10_000;

/** The `step_id` of roots; those of steps begin at 1, and other spans have null. */
const ROOT_STEP_ID = 0;

/** Gives each step name a number of its own, and keeps them in the table `steps`. */
export class StepTable {
  readonly #idByStep = new Map<string, number>();
  readonly #connection: DuckDBConnection;

  constructor(connection: DuckDBConnection) {
    this.#connection = connection;
  }

  /** Gives each step of `spans` a number; new ones are written as part of the connection's transaction. */
  async learn(spans: readonly SpanRecord[]): Promise<void> {
    if (this.#idByStep.size > MAX_STEPS) this.#idByStep.clear();
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
