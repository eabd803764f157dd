import { quantileOfSorted } from './numbers.ts';

/**
 * Compares strings by code point, as databases that store UTF-8 do, so that every engine sorts alike.
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

/** Moves the surrogates, which represent U+10000 and above, after the other code units. */
function rankOfCodeUnit(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}

/** Sorts ascending. */
export function compareBigint(a: bigint, b: bigint): number {
  return a < b ? -1 : Number(a > b);
}

/** Sorts like {@link compareText}, with undefined last. */
export function compareAbsentLast(a: string | undefined, b: string | undefined): number {
  if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined);
  return compareText(a, b);
}

/**
 * The order in which steps are listed. `conversations` has a map for each of the newest 500 of the window: the offset
 * in milliseconds at which each step first starts. Step `a` beats `b` if it starts first in more than half of the
 * conversations that have both. Repeatedly, a step that no remaining step beats is next; if several or none are
 * unbeaten, the one with the smaller median offset, then the first by name.
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
  // `steps` is sorted by median offset, then name, so the first unbeaten one is next.
  const remaining = [...steps];
  while (remaining.length > 0) {
    const unbeaten = remaining.findIndex(({ name }) => timesBeaten.get(name) === 0);
    const [next] = remaining.splice(Math.max(unbeaten, 0), 1);
    ordered.push(next!.name);
    countBeaten(next!.name, -1);
  }
  return ordered;
}

/** The order of steps is computed from this many of the newest conversations of a window. */
export const CONVERSATIONS_THAT_DECIDE = 500;

/**
 * `steps` in step order, from the first offsets of the newest {@link CONVERSATIONS_THAT_DECIDE} conversations; steps
 * that none of them has come last, by name.
 */
export function orderAllSteps(newest: readonly ReadonlyMap<string, number>[], steps: Iterable<string>): string[] {
  const wanted = new Set(steps);
  return appendMissingSteps(orderSteps(newest), wanted).filter((step) => wanted.has(step));
}

/** `ordered`, followed by those of `steps` that it lacks, by name. */
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

/** By step, the steps that it beats. Only pairs that occur in the same conversation are compared. */
function findBeaten(conversations: readonly ReadonlyMap<string, number>[]): Map<string, string[]> {
  const places = new Map<string, number>();
  for (const offsets of conversations) {
    for (const step of offsets.keys()) if (!places.has(step)) places.set(step, places.size);
  }
  const names = [...places.keys()];
  // By pair of places: in how many more conversations the first one starts first than in those where it does not. Maps of
  // maps would take twenty times as long.
  const leads = new Int32Array(names.length ** 2);
  for (const offsets of conversations) {
    const entries = Array.from(offsets, ([step, offset]) => ({ place: places.get(step)!, offset }));
    for (const { place, offset } of entries) {
      for (const opponent of entries) {
        leads[place * names.length + opponent.place]! += offset < opponent.offset ? 1 : -1;
      }
    }
  }
  return new Map(
    names.map((step, place) => [step, names.filter((_opponent, other) => leads[place * names.length + other]! > 0)]),
  );
}
