import { randomBytes } from 'node:crypto';
import type { ConversationOutcome } from '@convotel/query';
import { compareText, TOO_LONG_NANO } from '@convotel/query/engine';
import type { StepDurationsAsked } from '@convotel/query/engine';
import type { KnownNumbers, RawPart, ValueReader } from '../store/column-reader.ts';
import { factorFor, grown } from './typed-arrays.ts';

/** Ascending, as the enum of the database has them. */
export const OUTCOMES: readonly ConversationOutcome[] = [
  'failed',
  'timed_out',
  'abandoned',
  'interrupted',
  'completed',
  'open',
];
const COMPLETED = OUTCOMES.indexOf('completed');
const OPEN = OUTCOMES.indexOf('open');

const TOO_LONG = Number(TOO_LONG_NANO);
/** What the upper half of 64 bits counts. */
export const WORD = 2 ** 32;

/**
 * Adds up spans by conversation and step: what `step-durations` asks for, from the rows of `step-spans.sql`. There is one
 * array per field; an object per conversation or cell would take several times the time and memory. A cell is what is
 * known of one step, of one group, in one conversation.
 *
 * Times are in nanoseconds from the start of the first span of their conversation that was added, which is exact.
 */
export class SpanSums {
  readonly asked: StepDurationsAsked;
  /** Number of conversations. */
  #conversations = 0;
  /** Row + 1 of each conversation, at a place that follows from its trace id; 0 where there is none. */
  #places: Uint32Array;
  #of: ConversationSums;
  #cells = 0;
  /** Each has an element per cell. */
  #in: CellSums;
  #traitsIn: TraitSums;
  /** The columns with a cell, by {@link columnKey}. */
  readonly #columns = new Map<number, CellColumn>();
  readonly #models: string[] = [''];
  readonly #modelNumbers = new Map<string, number>([['', 0]]);

  /** @param room - for how many conversations and cells there is room before the arrays have to grow; powers of 2 */
  constructor(asked: StepDurationsAsked, room = { conversations: 2 ** 17, cells: 2 ** 20 }) {
    this.asked = asked;
    this.#of = noConversations(room.conversations);
    this.#places = new Uint32Array(room.conversations * 2);
    this.#in = noCells(asked.steps ? room.cells : 0);
    this.#traitsIn = noTraits(asked.steps && asked.traits ? room.cells : 0);
  }

  /** The sums so far. Their arrays are longer than they are filled, and replaced by {@link add}. */
  get sums(): {
    conversations: number;
    of: ConversationSums;
    in: CellSums;
    traitsIn: TraitSums;
    columns: readonly CellColumn[];
    models: readonly string[];
  } {
    return {
      conversations: this.#conversations,
      of: this.#of,
      in: this.#in,
      traitsIn: this.#traitsIn,
      columns: [...this.#columns.values()],
      models: this.#models,
    };
  }

  /**
   * Adds the roots and steps in `part`. Those outside the window are added only to conversations with a span in it, so they
   * must come after all that start in it.
   */
  add(part: RawPart, isWithin: boolean): void {
    const { rowCount } = part;
    this.#grow(rowCount);
    const { steps, traits, groupBy } = this.asked;
    const traitColumns = traits && steps ? traitColumnsOf(part) : undefined;
    const traceIds = part.items('trace_id', Uint32Array);
    const startLows = part.items('start_ns', Uint32Array);
    const startHighs = new Int32Array(startLows.buffer, startLows.byteOffset, startLows.length);
    const durationLows = part.items('duration_ns', Uint32Array);
    const durationHighs = new Int32Array(durationLows.buffer, durationLows.byteOffset, durationLows.length);
    const stepIds = part.items('step_id', Uint32Array);
    const outcomes = part.items('outcome', Uint8Array);
    const depths = part.items('depth', Int32Array);
    const groups = groupBy === undefined ? undefined : part.items('group_id', Uint8Array);
    const responses = part.knownItems('response_latency_s', Float64Array);
    const of = this.#of;
    let conversation = -1;
    for (let index = 0; index < rowCount; index++) {
      const id = index * 4;
      const isSame =
        index > 0 &&
        traceIds[id] === traceIds[id - 4] &&
        traceIds[id + 1] === traceIds[id - 3] &&
        traceIds[id + 2] === traceIds[id - 2] &&
        traceIds[id + 3] === traceIds[id - 1];
      const low = startLows[index * 2]!;
      const high = startHighs[index * 2 + 1]!;
      if (!isSame) {
        conversation = this.#find(traceIds, id);
        if (conversation === -1 && isWithin) conversation = this.#begin(traceIds, id, low, high);
      }
      if (conversation === -1) continue;

      const start = (high - of.baseHigh[conversation]!) * WORD + (low - of.baseLow[conversation]!);
      const duration = durationHighs[index * 2 + 1]! * WORD + durationLows[index * 2]!;
      const end = start + duration;
      const outcome = outcomes[index]!;
      const group = groups === undefined ? 0 : groups[index]!;
      const response = isKnown(responses, index) ? responses!.items[index]! : Infinity;
      if (stepIds[index] === 0) {
        if (start < of.firstRoot[conversation]!) of.firstRoot[conversation] = start;
        if (end > of.lastRoot[conversation]!) of.lastRoot[conversation] = end;
        if (outcome < of.outcome[conversation]!) of.outcome[conversation] = outcome;
        if (response < of.rootResponse[conversation]!) of.rootResponse[conversation] = response;
        of.rootGroups[conversation]! |= 1 << group;
        continue;
      }
      if (start < of.firstStep[conversation]!) of.firstStep[conversation] = start;
      if (end > of.lastStep[conversation]!) of.lastStep[conversation] = end;
      if (depths[index] === 0) of.outermostSteps[conversation]! += duration;
      if (response < of.stepResponse[conversation]!) of.stepResponse[conversation] = response;
      if (isWithin) of.hasStepWithin[conversation] = 1;
      of.stepGroups[conversation]! |= 1 << group;
      if (!steps) continue;

      const cell = this.#findCell(conversation, stepIds[index]!, group);
      const cells = this.#in;
      const isCompleted = outcome === COMPLETED;
      const isCounted = isCompleted && isWithin && duration < TOO_LONG;
      if (start < cells.first[cell]!) cells.first[cell] = start;
      if (isCompleted) cells.completedNano[cell] = plus(cells.completedNano[cell]!, duration);
      if (isCounted) {
        cells.countedNano[cell]! += duration;
        cells.counted[cell]! += 1;
      }
      if (traitColumns !== undefined) this.#addTraits(cell, traitColumns, index, isCounted);
    }
  }

  #addTraits(
    cell: number,
    { models, attempts, inputChars, firstOutputs }: TraitColumns,
    index: number,
    isCounted: boolean,
  ): void {
    const traits = this.#traitsIn;
    const model = models === undefined ? null : (models(index) as string | null);
    if (model !== null) {
      const known = this.#models[traits.model[cell]!]!;
      if (model !== known && (known === '' || compareText(model, known) < 0)) {
        traits.model[cell] = this.#numberOfModel(model);
      }
    }
    if (isKnown(attempts, index) && attempts!.items[index]! > 1) traits.retries[cell]! += 1;
    if (isKnown(inputChars, index)) traits.inputChars[cell] = plus(traits.inputChars[cell]!, inputChars!.items[index]!);
    if (!isCounted || !isKnown(firstOutputs, index)) return;
    traits.firstOutputSeconds[cell]! += firstOutputs!.items[index]!;
    traits.firstOutputs[cell]! += 1;
  }

  #numberOfModel(model: string): number {
    let number = this.#modelNumbers.get(model);
    if (number === undefined) {
      number = this.#models.push(model) - 1;
      this.#modelNumbers.set(model, number);
    }
    return number;
  }

  /** The conversation with the trace id at `id`; -1 if there is none yet. */
  #find(ids: Uint32Array, id: number): number {
    const { traceId } = this.#of;
    const places = this.#places;
    const [a, b, c, d] = [ids[id]!, ids[id + 1]!, ids[id + 2]!, ids[id + 3]!];
    let place = placeOf(a, b, c, d, places.length);
    for (; places[place] !== 0; place = (place + 1) & (places.length - 1)) {
      const row = places[place]! - 1;
      const at = row * 4;
      if (traceId[at] === a && traceId[at + 1] === b && traceId[at + 2] === c && traceId[at + 3] === d) return row;
    }
    return -1;
  }

  /** Adds a conversation with the trace id at `id`, whose first span starts at the time with these halves. */
  #begin(ids: Uint32Array, id: number, low: number, high: number): number {
    const row = this.#conversations++;
    const of = this.#of;
    for (let word = 0; word < 4; word++) of.traceId[row * 4 + word] = ids[id + word]!;
    this.#keepPlace(row);
    of.baseLow[row] = low;
    of.baseHigh[row] = high;
    of.outcome[row] = OPEN;
    of.firstStep[row] = of.firstRoot[row] = of.stepResponse[row] = of.rootResponse[row] = Infinity;
    of.lastStep[row] = of.lastRoot[row] = -Infinity;
    return row;
  }

  #keepPlace(row: number): void {
    const { traceId } = this.#of;
    const places = this.#places;
    const at = row * 4;
    let place = placeOf(traceId[at]!, traceId[at + 1]!, traceId[at + 2]!, traceId[at + 3]!, places.length);
    while (places[place] !== 0) place = (place + 1) & (places.length - 1);
    places[place] = row + 1;
  }

  /** The cell of a conversation, step and group, which may be new. */
  #findCell(conversation: number, stepId: number, group: number): number {
    const key = columnKey(stepId, group);
    const { lastCell } = this.#of;
    const cells = this.#in;
    for (let next = lastCell[conversation]!; next !== 0; next = cells.previous[next - 1]!) {
      if (cells.key[next - 1] === key) return next - 1;
    }
    let column = this.#columns.get(key);
    if (column === undefined) {
      column = { stepId, group, column: this.#columns.size, cells: 0 };
      this.#columns.set(key, column);
    }
    const cell = this.#cells++;
    column.cells += 1;
    cells.row[cell] = conversation;
    cells.key[cell] = key;
    cells.column[cell] = column.column;
    cells.completedNano[cell] = Number.NaN;
    cells.first[cell] = Infinity;
    if (this.asked.traits) this.#traitsIn.inputChars[cell] = Number.NaN;
    cells.previous[cell] = lastCell[conversation]!;
    lastCell[conversation] = cell + 1;
    return cell;
  }

  /** Makes room for `count` more conversations, and as many cells. */
  #grow(count: number): void {
    const conversations = this.#conversations + count;
    if (conversations > this.#of.outcome.length) {
      this.#of = grown(this.#of, factorFor(this.#of.outcome.length, conversations));
      this.#places = new Uint32Array(this.#of.outcome.length * 2);
      for (let row = 0; row < this.#conversations; row++) this.#keepPlace(row);
    }
    const cells = this.#cells + count;
    if (!this.asked.steps || cells <= this.#in.row.length) return;
    const factor = factorFor(this.#in.row.length, cells);
    this.#in = grown(this.#in, factor);
    if (this.asked.traits) this.#traitsIn = grown(this.#traitsIn, factor);
  }
}

function isKnown(numbers: KnownNumbers<unknown> | undefined, index: number): boolean {
  if (numbers === undefined) return false;
  return numbers.validity === null || ((numbers.validity[index >>> 3]! >>> (index & 7)) & 1) === 1;
}

/** All cells of one step and group. */
interface CellColumn {
  stepId: number;
  group: number;
  /** The number of the column. */
  column: number;
  /** How many there are. */
  cells: number;
}

/** Sums with an element per conversation. */
export type ConversationSums = ReturnType<typeof noConversations>;

function noConversations(capacity: number) {
  return {
    /** Four words per conversation, the lowest first. */
    traceId: new Uint32Array(capacity * 4),
    baseLow: new Uint32Array(capacity),
    baseHigh: new Int32Array(capacity),
    hasStepWithin: new Uint8Array(capacity),
    firstStep: new Float64Array(capacity),
    lastStep: new Float64Array(capacity),
    firstRoot: new Float64Array(capacity),
    lastRoot: new Float64Array(capacity),
    outcome: new Uint8Array(capacity),
    outermostSteps: new Float64Array(capacity),
    stepResponse: new Float64Array(capacity),
    rootResponse: new Float64Array(capacity),
    stepGroups: new Uint32Array(capacity),
    rootGroups: new Uint32Array(capacity),
    /** Number + 1 of its last cell; 0 if it has none. */
    lastCell: new Uint32Array(capacity),
  };
}

/** Sums with an element per cell. */
export type CellSums = ReturnType<typeof noCells>;

function noCells(capacity: number) {
  return {
    row: new Uint32Array(capacity),
    /** Number + 1 of the cell before it in the same conversation; 0 if there is none. */
    previous: new Uint32Array(capacity),
    column: new Uint32Array(capacity),
    /** {@link columnKey} of its column. */
    key: new Float64Array(capacity),
    counted: new Uint32Array(capacity),
    countedNano: new Float64Array(capacity),
    completedNano: new Float64Array(capacity),
    first: new Float64Array(capacity),
  };
}

/** The sums for `traits`. */
export type TraitSums = ReturnType<typeof noTraits>;

function noTraits(capacity: number) {
  return {
    /** The number of its model among all; 0 if it has none. */
    model: new Uint32Array(capacity),
    retries: new Uint32Array(capacity),
    inputChars: new Float64Array(capacity),
    firstOutputSeconds: new Float64Array(capacity),
    firstOutputs: new Uint32Array(capacity),
  };
}

/** The columns for `traits`; undefined where no row has a value. */
interface TraitColumns {
  models: ValueReader | undefined;
  attempts: KnownNumbers<Int32Array> | undefined;
  inputChars: KnownNumbers<Int32Array> | undefined;
  firstOutputs: KnownNumbers<Float64Array> | undefined;
}

function traitColumnsOf(part: RawPart): TraitColumns {
  const { valuesIn, read } = part.reader('model');
  return {
    models: valuesIn === 'none' ? undefined : read,
    attempts: part.knownItems('attempt', Int32Array),
    inputChars: part.knownItems('input_chars', Int32Array),
    firstOutputs: part.knownItems('time_to_first_output_s', Float64Array),
  };
}

/** Each step and group has another. */
function columnKey(stepId: number, group: number): number {
  return stepId * 32 + group;
}

/** Odd, and others in each process, so that nobody can choose trace ids that all have the same place. */
const FACTORS = Uint32Array.from(new Uint32Array(new Uint8Array(randomBytes(16)).buffer), (random) => random | 1);

/** A place in a table of `size`, a power of 2, for a trace id. */
function placeOf(a: number, b: number, c: number, d: number, size: number): number {
  let mixed = Math.imul(a, FACTORS[0]!);
  mixed = Math.imul(mixed ^ (mixed >>> 15) ^ b, FACTORS[1]!);
  mixed = Math.imul(mixed ^ (mixed >>> 15) ^ c, FACTORS[2]!);
  mixed = Math.imul(mixed ^ (mixed >>> 15) ^ d, FACTORS[3]!);
  return (mixed ^ (mixed >>> 15)) & (size - 1);
}

/** The sum, where NaN stands for no value. */
function plus(sum: number, value: number): number {
  return Number.isNaN(sum) ? value : sum + value;
}
