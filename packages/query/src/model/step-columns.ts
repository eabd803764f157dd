/** What one conversation has in the column of a step; see the fields of `StepColumn`. */
export interface StepCell {
  row: number;
  countedMs: number;
  counted: number;
  completedMs: number;
  firstOffsetMs: number;
}

/** Gathers the cells of a table of conversations by steps, most of which may be empty. */
export class StepCells {
  readonly #cellsByStep = new Map<string, StepCell[]>();

  /** Adds a cell; each row at most once for a step, in any order. */
  add(step: string, cell: StepCell): void {
    const cells = this.#cellsByStep.get(step);
    if (cells === undefined) this.#cellsByStep.set(step, [cell]);
    else cells.push(cell);
  }

  /** The steps that have a cell. */
  get steps(): string[] {
    return [...this.#cellsByStep.keys()];
  }

  /** The columns of `steps`, in that order. */
  columns(steps: readonly string[]): {
    step: string;
    rows: Uint32Array;
    countedMs: Float64Array;
    counted: Uint32Array;
    completedMs: Float64Array;
    firstOffsetMs: Float64Array;
  }[] {
    return steps.map((step) => {
      const cells = (this.#cellsByStep.get(step) ?? []).toSorted((a, b) => a.row - b.row);
      return {
        step,
        rows: Uint32Array.from(cells, ({ row }) => row),
        countedMs: Float64Array.from(cells, ({ countedMs }) => countedMs),
        counted: Uint32Array.from(cells, ({ counted }) => counted),
        completedMs: Float64Array.from(cells, ({ completedMs }) => completedMs),
        firstOffsetMs: Float64Array.from(cells, ({ firstOffsetMs }) => firstOffsetMs),
      };
    });
  }
}
