import { namedGroup } from './groups.ts';
import type { GroupBy } from './groups.ts';

/** One step's column of `StepDurations`: only the conversations that have the step, which may be few of many. */
export interface StepColumn {
  /** With `groupBy`. */
  group?: string;
  step: string;
  /** The rows of the conversations that have the step, ascending; the arrays below have one element for each. */
  rows: Uint32Array;
  /** Sum of its counted spans (completed, under 60 s) that start in the window, in ms. */
  countedMs: Float64Array;
  /** How many those are. */
  counted: Uint32Array;
  /** Sum of all its completed spans, wherever they start, in ms; NaN where there is none. */
  completedMs: Float64Array;
  /** Its first start − the conversation's start, in ms. */
  firstOffsetMs: Float64Array;
  /** Where asked for. */
  traits?: StepTraits;
}

/** What may differ from one conversation to the next besides time; one element for each of the rows of a column. */
export interface StepTraits {
  /** The model that its spans name, of several the first by code point; empty where none does. */
  models: string[];
  /** How many of its spans are a second attempt or a later one. */
  retries: Uint32Array;
  /** Characters that went into its spans together; NaN where none says so. */
  inputChars: Float64Array;
}

/** What one conversation has in the column of a step; see the fields of {@link StepColumn} and {@link StepTraits}. */
export interface StepCell {
  row: number;
  countedMs: number;
  counted: number;
  completedMs: number;
  firstOffsetMs: number;
  model: string;
  retries: number;
  inputChars: number;
}

/** Gathers the cells of a table of conversations by steps, most of which may be empty. */
export class StepCells {
  readonly #cellsByGroup = new Map<number, Map<string, StepCell[]>>();
  readonly #groupBy: GroupBy | undefined;
  readonly #hasTraits: boolean;

  constructor({ groupBy, traits }: { groupBy: GroupBy | undefined; traits: boolean }) {
    this.#groupBy = groupBy;
    this.#hasTraits = traits;
  }

  /** Adds a cell; each row at most once for a step and group, in any order. */
  add(step: string, cell: StepCell, group: number): void {
    let cellsByStep = this.#cellsByGroup.get(group);
    if (cellsByStep === undefined) this.#cellsByGroup.set(group, (cellsByStep = new Map<string, StepCell[]>()));
    const cells = cellsByStep.get(step);
    if (cells === undefined) cellsByStep.set(step, [cell]);
    else cells.push(cell);
  }

  /** The steps that have a cell. */
  get steps(): string[] {
    return [...new Set([...this.#cellsByGroup.values()].flatMap((cellsByStep) => [...cellsByStep.keys()]))];
  }

  /** The columns of `steps`, in that order, group by group. */
  columns(steps: readonly string[]): StepColumn[] {
    const groups = [...this.#cellsByGroup].sort(([a], [b]) => a - b);
    return groups.flatMap(([group, cellsByStep]) =>
      steps
        .filter((step) => cellsByStep.has(step))
        .map((step) => ({ ...namedGroup(group, this.#groupBy), ...this.#column(step, cellsByStep.get(step)!) })),
    );
  }

  #column(step: string, unsorted: readonly StepCell[]): StepColumn {
    const cells = unsorted.toSorted((a, b) => a.row - b.row);
    return {
      step,
      rows: Uint32Array.from(cells, ({ row }) => row),
      countedMs: Float64Array.from(cells, ({ countedMs }) => countedMs),
      counted: Uint32Array.from(cells, ({ counted }) => counted),
      completedMs: Float64Array.from(cells, ({ completedMs }) => completedMs),
      firstOffsetMs: Float64Array.from(cells, ({ firstOffsetMs }) => firstOffsetMs),
      ...(this.#hasTraits && {
        traits: {
          models: cells.map(({ model }) => model),
          retries: Uint32Array.from(cells, ({ retries }) => retries),
          inputChars: Float64Array.from(cells, ({ inputChars }) => inputChars),
        },
      }),
    };
  }
}
