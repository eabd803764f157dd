import type { ConversationOutcome, StepColumn, StepDurations, StepTraits } from '@convotel/query';
import { compareText, groupName, TOO_LONG_NANO, windowValues, withoutNoGroup } from '@convotel/query/engine';
import type { DurationsTable, StepDurationsAsked } from '@convotel/query/engine';
import type { KnownNumbers, RawPart, ValueReader } from '../store/column-reader.ts';

/** Ascending, as the enum of the database has them. */
const OUTCOMES: readonly ConversationOutcome[] = [
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
const WORD = 2 ** 32;
const TRACE_IDS_AT_ONCE = 10_000;

/** An array of numbers that grows. */
type Numbers = Float64Array | Uint32Array | Int32Array | Uint8Array;

/**
 * Adds up spans by conversation and step: what `step-durations` asks for, from the rows of `step-spans.sql`. There is one
 * array per field; an object per conversation or cell would take several times the time and memory.
 *
 * Times are in nanoseconds from the start of the first span of their conversation that was added, which is exact.
 */
export class SpanSums {
  readonly #asked: StepDurationsAsked;
  #conversations = 0;
  /** Row + 1 of each conversation, at a place that follows from its trace id; 0 where there is none. */
  #places: Uint32Array;
  #of: ConversationSums;
  #cells = 0;
  /** Each has an element per cell. */
  #in: CellSums;
  #traitsIn: TraitSums;
  /** The columns with a cell, by {@link columnKey}. */
  readonly #columns = new Map<number, { stepId: number; group: number; column: number; cells: number }>();
  readonly #models: string[] = [''];
  readonly #modelNumbers = new Map<string, number>([['', 0]]);

  /** @param room - for how many conversations and cells there is room before the arrays have to grow; powers of 2 */
  constructor(asked: StepDurationsAsked, room = { conversations: 2 ** 17, cells: 2 ** 20 }) {
    this.#asked = asked;
    this.#of = noConversations(room.conversations);
    this.#places = new Uint32Array(room.conversations * 2);
    this.#in = noCells(asked.steps ? room.cells : 0);
    this.#traitsIn = noTraits(asked.steps && asked.traits ? room.cells : 0);
  }

  /**
   * Adds the roots and steps in `part`. Those outside the window are added only to conversations with a span in it, so they
   * must come after all that start in it.
   */
  add(part: RawPart, isWithin: boolean): void {
    const { rowCount } = part;
    this.#grow(rowCount);
    const { steps, traits, groupBy } = this.#asked;
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
    if (this.#asked.traits) this.#traitsIn.inputChars[cell] = Number.NaN;
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
    if (!this.#asked.steps || cells <= this.#in.row.length) return;
    const factor = factorFor(this.#in.row.length, cells);
    this.#in = grown(this.#in, factor);
    if (this.#asked.traits) this.#traitsIn = grown(this.#traitsIn, factor);
  }

  /** The sums. @param nameOf - returns the name of a step by its number */
  table(nameOf: (stepId: number) => string): DurationsTable {
    const { groupBy, traits } = this.#asked;
    const of = this.#of;
    const { first, last, responseMs } = this.#times();
    const { starts, isStarting } = this.#starts(first);
    const order = this.#order(starts, isStarting);
    const durationMs = new Float64Array(order.length);
    for (let place = 0; place < order.length; place++) {
      durationMs[place] = (last[order[place]!]! - first[order[place]!]!) / 1e6;
    }
    const conversations: Omit<StepDurations, 'steps'> = {
      traceIds: this.#traceIds(order),
      startTimesUnixNano: pickWide(starts, order),
      startsInWindow: pick(isStarting, order, new Uint8Array(order.length)),
      outcomes: textsAt(order, of.outcome, OUTCOMES),
      durationMs,
      stepSumMs: quotients(of.outermostSteps, order, 1e6),
      responseMs: pick(responseMs, order, new Float64Array(order.length)),
      ...(groupBy && {
        groupMasks: Uint32Array.from(order, (row) =>
          withoutNoGroup(of.firstStep[row]! < Infinity ? of.stepGroups[row]! : of.rootGroups[row]!, groupBy),
        ),
      }),
    };
    const columns = this.#columnsOf(order).map(({ stepId, group, rows, cells }) => ({
      group,
      column: {
        ...(groupBy && { group: groupName(group, groupBy) }),
        step: nameOf(stepId),
        rows,
        countedMs: quotients(this.#in.countedNano, cells, 1e6),
        counted: pick(this.#in.counted, cells, new Uint32Array(cells.length)),
        completedMs: quotients(this.#in.completedNano, cells, 1e6),
        firstOffsetMs: this.#firstOffsets(cells, first),
        ...(traits && { traits: this.#traitsOf(cells) }),
      },
    }));
    return {
      conversations,
      steps: [...new Set(columns.map(({ column: { step } }) => step))],
      columns: (steps) => {
        const places = new Map(steps.map((step, place) => [step, place]));
        const placeOfColumn = ({ step }: StepColumn): number => places.get(step)!;
        return columns
          .sort((a, b) => a.group - b.group || placeOfColumn(a.column) - placeOfColumn(b.column))
          .map(({ column }) => column);
      },
    };
  }

  #traitsOf(cells: Uint32Array): StepTraits {
    const traits = this.#traitsIn;
    return {
      models: textsAt(cells, traits.model, this.#models),
      retries: pick(traits.retries, cells, new Uint32Array(cells.length)),
      inputChars: pick(traits.inputChars, cells, new Float64Array(cells.length)),
      firstOutputMs: quotients(traits.firstOutputSeconds, cells, 1 / 1000),
      firstOutputs: pick(traits.firstOutputs, cells, new Uint32Array(cells.length)),
    };
  }

  #firstOffsets(cells: Uint32Array, first: Float64Array): Float64Array {
    const offsets = new Float64Array(cells.length);
    for (let place = 0; place < cells.length; place++) {
      const cell = cells[place]!;
      offsets[place] = (this.#in.first[cell]! - first[this.#in.row[cell]!]!) / 1e6;
    }
    return offsets;
  }

  /** The start and end of each conversation, and its response latency: of its steps, else of its roots. */
  #times(): { first: Float64Array; last: Float64Array; responseMs: Float64Array } {
    const of = this.#of;
    const first = new Float64Array(this.#conversations);
    const last = new Float64Array(this.#conversations);
    const responseMs = new Float64Array(this.#conversations);
    for (let row = 0; row < first.length; row++) {
      const hasSteps = of.firstStep[row]! < Infinity;
      first[row] = hasSteps ? of.firstStep[row]! : of.firstRoot[row]!;
      last[row] = hasSteps ? of.lastStep[row]! : of.lastRoot[row]!;
      const response = of.stepResponse[row]! < Infinity ? of.stepResponse[row]! : of.rootResponse[row]!;
      responseMs[row] = response < Infinity ? response * 1000 : Number.NaN;
    }
    return { first, last, responseMs };
  }

  /** The start of each conversation in Unix nanoseconds, and whether it is in the window. */
  #starts(first: Float64Array): { starts: BigInt64Array; isStarting: Uint8Array } {
    const { since_ns: since, until_ns: until } = windowValues(this.#asked.window);
    const of = this.#of;
    const starts = new BigInt64Array(this.#conversations);
    // Numbers of 64 bits take several times as long as their halves.
    const lows = new Uint32Array(starts.buffer);
    const highs = new Int32Array(starts.buffer);
    const isStarting = new Uint8Array(this.#conversations);
    const [sinceLow, sinceHigh] = halvesOf(since);
    const [untilLow, untilHigh] = halvesOf(until);
    for (let row = 0; row < starts.length; row++) {
      const low = of.baseLow[row]! + first[row]!;
      const carry = Math.floor(low / WORD);
      const high = of.baseHigh[row]! + carry;
      lows[row * 2] = low - carry * WORD;
      highs[row * 2 + 1] = high;
      const isSince = high > sinceHigh || (high === sinceHigh && lows[row * 2]! >= sinceLow);
      const isUntil = high < untilHigh || (high === untilHigh && lows[row * 2]! < untilLow);
      isStarting[row] = Number(isSince && isUntil);
    }
    return { starts, isStarting };
  }

  /** The conversations that start in the window or have a step in it, by start, then trace id. */
  #order(starts: BigInt64Array, isStarting: Uint8Array): Uint32Array {
    const { traceId, hasStepWithin } = this.#of;
    const lows = new Uint32Array(starts.buffer);
    const highs = new Int32Array(starts.buffer);
    const compare = (a: number, b: number): number => {
      const byStart = highs[a * 2 + 1]! - highs[b * 2 + 1]! || lows[a * 2]! - lows[b * 2]!;
      if (byStart !== 0) return byStart;
      for (let word = 3; word > 0; word--) {
        const byWord = traceId[a * 4 + word]! - traceId[b * 4 + word]!;
        if (byWord !== 0) return byWord;
      }
      return traceId[a * 4]! - traceId[b * 4]!;
    };
    const rows: number[] = [];
    let isSorted = true;
    for (let row = 0; row < starts.length; row++) {
      if (isStarting[row] !== 1 && hasStepWithin[row] !== 1) continue;
      if (rows.length > 0 && compare(rows[rows.length - 1]!, row) > 0) isSorted = false;
      rows.push(row);
    }
    // Spans mostly arrive in the order of their conversations, which the sorting of arrays makes use of.
    return Uint32Array.from(isSorted ? rows : rows.sort(compare));
  }

  #traceIds(order: Uint32Array): string[] {
    const { traceId } = this.#of;
    const traceIds: string[] = [];
    for (let from = 0; from < order.length; from += TRACE_IDS_AT_ONCE) {
      const some = order.subarray(from, from + TRACE_IDS_AT_ONCE);
      const words = new Uint32Array(some.length * 4);
      for (let place = 0; place < some.length; place++) {
        for (let word = 0; word < 4; word++) words[place * 4 + word] = traceId[some[place]! * 4 + 3 - word]!;
      }
      const hex = Buffer.from(words.buffer).swap32().toString('hex');
      for (let place = 0; place < some.length; place++) traceIds.push(hex.slice(place * 32, place * 32 + 32));
    }
    return traceIds;
  }

  /** The columns with a cell in a conversation of `order`: their cells, and the places of these conversations. */
  #columnsOf(order: Uint32Array): { stepId: number; group: number; rows: Uint32Array; cells: Uint32Array }[] {
    const columns = [...this.#columns.values()].map(({ stepId, group, cells }) => ({
      stepId,
      group,
      rows: new Uint32Array(cells),
      cells: new Uint32Array(cells),
      length: 0,
    }));
    const { previous, column: columnOf } = this.#in;
    for (let place = 0; place < order.length; place++) {
      for (let next = this.#of.lastCell[order[place]!]!; next !== 0; next = previous[next - 1]!) {
        const column = columns[columnOf[next - 1]!]!;
        column.rows[column.length] = place;
        column.cells[column.length++] = next - 1;
      }
    }
    return columns
      .filter(({ length }) => length > 0)
      .map(({ rows, cells, length, ...column }) => ({
        ...column,
        rows: rows.subarray(0, length),
        cells: cells.subarray(0, length),
      }));
  }
}

function isKnown(numbers: KnownNumbers<unknown> | undefined, index: number): boolean {
  if (numbers === undefined) return false;
  return numbers.validity === null || ((numbers.validity[index >>> 3]! >>> (index & 7)) & 1) === 1;
}

/** Sums with an element per conversation. */
type ConversationSums = ReturnType<typeof noConversations>;

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
type CellSums = ReturnType<typeof noCells>;

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
type TraitSums = ReturnType<typeof noTraits>;

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

/** A place in a table of `size`, a power of 2, for a trace id. */
function placeOf(a: number, b: number, c: number, d: number, size: number): number {
  const mixed =
    Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca6b) ^ Math.imul(c, 0xc2b2ae35) ^ Math.imul(d, 0x27d4eb2f);
  return (mixed ^ (mixed >>> 15)) & (size - 1);
}

/** The sum, where NaN stands for no value. */
function plus(sum: number, value: number): number {
  return Number.isNaN(sum) ? value : sum + value;
}

/** The lower and the upper half of 64 bits. */
function halvesOf(value: bigint): [low: number, high: number] {
  return [Number(BigInt.asUintN(32, value)), Number(value >> 32n)];
}

/** Copies of arrays, `factor` times as long. */
function grown<Arrays extends Record<string, Numbers>>(arrays: Arrays, factor: number): Arrays {
  return Object.fromEntries(
    Object.entries(arrays).map(([name, array]) => {
      const longer = new (array.constructor as new (length: number) => Numbers)(array.length * factor);
      longer.set(array);
      return [name, longer];
    }),
  ) as Arrays;
}

/** The power of 2, at least 2, by which `length` must grow to be at least `needed`. */
function factorFor(length: number, needed: number): number {
  let factor = 2;
  while (length * factor < needed) factor *= 2;
  return factor;
}

/** The elements of `values` at `places`, in `picked`. */
function pick<Values extends Numbers>(values: Values, places: Uint32Array, picked: Values): Values {
  for (let index = 0; index < places.length; index++) picked[index] = values[places[index]!]!;
  return picked;
}

/** The same for numbers of 64 bits, by their halves, which takes a fraction of the time. */
function pickWide(values: BigInt64Array, places: Uint32Array): BigInt64Array {
  const picked = new BigInt64Array(places.length);
  const [from, to] = [new Uint32Array(values.buffer), new Uint32Array(picked.buffer)];
  for (let index = 0; index < places.length; index++) {
    to[index * 2] = from[places[index]! * 2]!;
    to[index * 2 + 1] = from[places[index]! * 2 + 1]!;
  }
  return picked;
}

/** The text that `numbers` says at each of `places`. */
function textsAt<Text extends string>(
  places: Uint32Array,
  numbers: Uint8Array | Uint32Array,
  texts: readonly Text[],
): Text[] {
  const found: Text[] = [];
  for (let index = 0; index < places.length; index++) found.push(texts[numbers[places[index]!]!]!);
  return found;
}

/** The elements of `values` at `places`, divided by `divisor`. */
function quotients(values: Float64Array, places: Uint32Array, divisor: number): Float64Array {
  const found = new Float64Array(places.length);
  for (let index = 0; index < places.length; index++) found[index] = values[places[index]!]! / divisor;
  return found;
}
