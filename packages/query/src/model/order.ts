import { quantileOfSorted } from './numbers.ts';

/**
 * Orders texts by code point, as databases that keep UTF-8 do, so that every engine lists equal rows alike.
 * JavaScript's `<` orders UTF-16 code units, which puts U+10000 and above before U+E000.
 */
export function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) {
    const left = a.charCodeAt(index);
    const right = b.charCodeAt(index);
    if (left !== right) return rankOfCodeUnit(left) - rankOfCodeUnit(right);
  }
  return a.length - b.length;
}

/** Moves the surrogates, which stand for U+10000 and above, behind the other code units. */
function rankOfCodeUnit(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}

/** Sorts the smaller number first. */
export function compareBigint(a: bigint, b: bigint): number {
  return a < b ? -1 : Number(a > b);
}

/** Sorts like {@link compareText}, with absent texts behind all others. */
export function compareAbsentLast(a: string | undefined, b: string | undefined): number {
  if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined);
  return compareText(a, b);
}

/**
 * The order in which steps are listed, from the first offset in milliseconds of each step, one map a conversation
 * (the newest 500 of the window): repeatedly, of the steps left, one that no other step left beats, where `a` beats
 * `b` when its first start is earlier in more than half of the conversations that have both. Where several or none
 * are unbeaten, the one with the smaller median first offset, then by name.
 *
 * Steps that no conversation has are not in the result; callers append them, by name.
 */
export function orderSteps(conversations: readonly ReadonlyMap<string, number>[]): string[] {
  const steps = collectSteps(conversations);
  const beatenByStep = findBeaten(conversations);
  const timesBeaten = new Map(steps.map(({ name }) => [name, 0]));
  const countBeaten = (winner: string, change: number): void => {
    for (const beaten of beatenByStep.get(winner) ?? []) timesBeaten.set(beaten, timesBeaten.get(beaten)! + change);
  };
  for (const { name } of steps) countBeaten(name, 1);

  const ordered: string[] = [];
  // `steps` is in the order that decides among several, so the first that fits is the one.
  const left = [...steps];
  while (left.length > 0) {
    const unbeaten = left.findIndex(({ name }) => timesBeaten.get(name) === 0);
    const [next] = left.splice(Math.max(unbeaten, 0), 1);
    ordered.push(next!.name);
    countBeaten(next!.name, -1);
  }
  return ordered;
}

/** How many of the newest conversations of a window decide the order of its steps. */
export const CONVERSATIONS_THAT_DECIDE = 500;

/**
 * `steps` in step order, from the first offsets of the newest {@link CONVERSATIONS_THAT_DECIDE} conversations; steps
 * that none of them has come last, by name.
 */
export function orderAllSteps(newest: readonly ReadonlyMap<string, number>[], steps: Iterable<string>): string[] {
  const wanted = new Set(steps);
  return appendMissingSteps(orderSteps(newest), wanted).filter((step) => wanted.has(step));
}

/** `ordered`, and behind it those of `steps` that it lacks, by name: a whole list from a sample's {@link orderSteps}. */
export function appendMissingSteps(ordered: readonly string[], steps: Iterable<string>): string[] {
  const known = new Set(ordered);
  const missing = new Set([...steps].filter((step) => !known.has(step)));
  return [...ordered, ...[...missing].sort(compareText)];
}

/** All steps by median first offset, then name. */
function collectSteps(conversations: readonly ReadonlyMap<string, number>[]): { name: string; median: number }[] {
  const offsetsByStep = new Map<string, number[]>();
  for (const offsets of conversations) {
    for (const [step, offset] of offsets) {
      const known = offsetsByStep.get(step);
      if (known === undefined) offsetsByStep.set(step, [offset]);
      else known.push(offset);
    }
  }
  return [...offsetsByStep]
    .map(([name, offsets]) => ({
      name,
      median: quantileOfSorted(
        offsets.sort((a, b) => a - b),
        0.5,
      )!,
    }))
    .sort((a, b) => a.median - b.median || compareText(a.name, b.name));
}

/** By step, the steps that it beats. Only pairs that meet in a conversation are looked at. */
function findBeaten(conversations: readonly ReadonlyMap<string, number>[]): Map<string, string[]> {
  const meetings = new Map<string, Map<string, { both: number; earlier: number }>>();
  for (const offsets of conversations) {
    for (const [step, offset] of offsets) {
      let opponents = meetings.get(step);
      if (opponents === undefined) meetings.set(step, (opponents = new Map()));
      for (const [opponent, opponentOffset] of offsets) {
        if (opponent === step) continue;
        let record = opponents.get(opponent);
        if (record === undefined) opponents.set(opponent, (record = { both: 0, earlier: 0 }));
        record.both += 1;
        if (offset < opponentOffset) record.earlier += 1;
      }
    }
  }
  return new Map(
    [...meetings].map(([step, opponents]) => [
      step,
      [...opponents].filter(([, { both, earlier }]) => earlier * 2 > both).map(([opponent]) => opponent),
    ]),
  );
}
