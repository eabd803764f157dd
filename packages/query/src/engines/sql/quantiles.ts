import { orderStatisticInterval, quantileInterval } from '../../model/order-statistics.ts';
import type { QuantileInterval } from '../../model/order-statistics.ts';

/** The quantiles of the values of one group. */
export interface Quantiles {
  quantilesMs: number[];
  quantileIntervalsMs?: QuantileInterval[];
}

/** Which quantiles to read. */
interface QuantilesAsked {
  probabilities: readonly number[];
  /** Whether to read their confidence intervals too. */
  intervals: boolean;
  /** The number of values of each group. */
  counts: ReadonlyMap<string, number>;
}

/** Most probabilities of one statement, unless it takes more for one group. */
const MAX_PROBABILITIES = 100;

/**
 * The quantiles of each group in `counts`.
 * @param read - returns the quantiles at some probabilities in milliseconds, by group; without groups that have no values
 */
export async function readQuantiles(
  { probabilities, intervals, counts }: QuantilesAsked,
  read: (probabilities: readonly number[]) => Promise<ReadonlyMap<string, number[]>>,
): Promise<ReadonlyMap<string, Quantiles>> {
  const found = new Map<string, Quantiles>();
  if (probabilities.length === 0) {
    for (const group of counts.keys()) found.set(group, { quantilesMs: [], ...(intervals && noIntervals) });
    return found;
  }
  if (!intervals) {
    const quantiles = await read(probabilities);
    for (const group of counts.keys()) found.set(group, { quantilesMs: quantiles.get(group) ?? [] });
    return found;
  }
  const endsOfGroup = 2 * probabilities.length;
  const groupsAtOnce = Math.max(1, Math.floor((MAX_PROBABILITIES - probabilities.length) / endsOfGroup));
  const groups = [...counts];
  for (let from = 0; from < groups.length; from += groupsAtOnce) {
    const some = groups.slice(from, from + groupsAtOnce);
    const ends = some.map(([, count]) => probabilities.map((each) => orderStatisticInterval(count, each)));
    const quantiles = await read([
      ...probabilities,
      // The quantile at i/(n−1) is the value at index i itself. For an end that does not exist, the result is ignored.
      ...some.flatMap(([, count], place) =>
        ends[place]!.flat().map((index = 0) => (count > 1 ? index / (count - 1) : 0)),
      ),
    ]);
    some.forEach(([group], place) => {
      const all = quantiles.get(group) ?? [];
      const values = all.slice(probabilities.length + place * endsOfGroup);
      const quantilesMs = all.slice(0, probabilities.length);
      const quantileIntervalsMs = quantilesMs.map((_quantile, index) => {
        const [low, high] = ends[place]![index]!;
        return quantileInterval(
          low === undefined ? undefined : values[2 * index],
          high === undefined ? undefined : values[2 * index + 1],
        );
      });
      found.set(group, { quantilesMs, quantileIntervalsMs });
    });
  }
  return found;
}

const noIntervals = { quantileIntervalsMs: [] };

/** Multiplies each number in a list by `factor` to convert it to milliseconds; empty if there is no list. */
export function millisecondsIn(list: unknown, factor: number): number[] {
  return ((list ?? []) as readonly (number | bigint)[]).map((figure) => Number(figure) * factor);
}
