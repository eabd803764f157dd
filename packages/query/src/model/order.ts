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
