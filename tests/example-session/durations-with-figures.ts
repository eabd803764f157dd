/** Exact figures that a list of durations shall have. */
export interface Figures {
  count: number;
  meanMs: number;
  /** Values at places of the sorted list, in ms with one decimal; the first and the last place must be among them. */
  pinned: Readonly<Record<number, number>>;
}

/**
 * Ascending durations in ms, in tenths, with exactly the figures asked for: the places between two pins all stand the
 * same part of the way from one to the next, and what rounding leaves over goes to single places, a tenth each.
 */
export function durationsWithFigures({ count, meanMs, pinned }: Figures): number[] {
  const places = Object.keys(pinned)
    .map(Number)
    .toSorted((a, b) => a - b);
  const low = Array.from({ length: count }, (_, place) =>
    tenthsAt(
      pinned,
      places.findLast((pin) => pin <= place),
    ),
  );
  const high = Array.from({ length: count }, (_, place) =>
    tenthsAt(
      pinned,
      places.find((pin) => pin >= place),
    ),
  );
  const wanted = Math.round(meanMs * 10 * count);
  const part = (wanted - sum(low)) / (sum(high) - sum(low));
  const tenths = low.map((value, place) => Math.floor(value + (high[place]! - value) * part));
  let missing = wanted - sum(tenths);
  for (let place = 0; place < count && missing > 0; place += 1) {
    if (low[place] === high[place]) continue;
    tenths[place]! += 1;
    missing -= 1;
  }
  if (missing !== 0 || part < 0 || part > 1) throw new RangeError(`no durations have a mean of ${meanMs} ms`);
  return tenths.map((value) => value / 10);
}

function tenthsAt(pinned: Figures['pinned'], place: number | undefined): number {
  const value = place === undefined ? undefined : pinned[place];
  if (value === undefined) throw new RangeError('the first and the last place must be pinned');
  return Math.round(value * 10);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
