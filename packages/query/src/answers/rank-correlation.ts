import { placesInOrder } from '../model/places.ts';

/** A rank correlation of two variables. */
export interface Spearman {
  /** Null without variance or for fewer than two pairs of values. */
  rho: number | null;
  /** Number of places at which both variables have a value. */
  n: number;
}

/** The values of a variable, one per observation; NaN where there is none. */
export interface Variable {
  values: Float64Array;
  /** The places of the values, without those that are NaN, by ascending value. */
  order: Uint32Array;
}

/** Sorts the places of `values`. */
export function ordered(values: Float64Array): Variable {
  return { values, order: placesInOrder(values) };
}

/** Spearman's rank correlation of two variables. */
export function spearman(left: Variable, right: Variable): Spearman {
  return new RankCorrelations([left, right]).between(0, 1);
}

/** Ranks minus their mean; 0 where there is none. */
interface CentredRanks {
  centred: Float64Array;
  /** The sum of their squares. */
  squares: number;
}

/** Ranks are kept for further pairs up to this number. */
const MAX_KEPT_RANKS = 2 ** 24;

/**
 * Spearman's rank correlation of pairs of variables, each over the observations in which both have a value: Pearson's
 * correlation of the averaged ranks. Variables that have values in the same observations, as the steps of conversations
 * mostly do, are ranked once for all of their pairs.
 */
export class RankCorrelations {
  readonly #variables: readonly Variable[];
  /** Of each variable, the first one that has values in the same observations. */
  readonly #alike: readonly number[];
  readonly #counts = new Map<string, number>();
  readonly #ranks = new Map<string, CentredRanks>();

  /** @param variables - over the same observations */
  constructor(variables: readonly Variable[]) {
    this.#variables = variables;
    const firsts: number[] = [];
    this.#alike = variables.map((variable, index) => {
      const known = firsts.find((first) => haveSameValues(variables[first]!, variable));
      if (known === undefined) firsts.push(index);
      return known ?? index;
    });
  }

  /** The correlation of the variables with these indices. */
  between(left: number, right: number): Spearman {
    const n = this.#countBoth(this.#alike[left]!, this.#alike[right]!);
    if (n < 2) return { rho: null, n };
    const [x, y] = [this.#ranksOf(left, right, n), this.#ranksOf(right, left, n)];
    if (x.squares === 0 || y.squares === 0) return { rho: null, n };
    const rho = sumOfProducts(x.centred, y.centred) / Math.sqrt(x.squares * y.squares);
    // Rounding errors may lead slightly beyond ±1.
    return { rho: Math.max(-1, Math.min(1, rho)), n };
  }

  #countBoth(left: number, right: number): number {
    const { values, order } = this.#variables[left]!;
    if (left === right) return order.length;
    const key = `${Math.min(left, right)} ${Math.max(left, right)}`;
    let count = this.#counts.get(key);
    if (count === undefined) {
      const others = this.#variables[right]!.values;
      count = 0;
      for (let place = 0; place < values.length; place++) {
        if (!Number.isNaN(values[place]!) && !Number.isNaN(others[place]!)) count += 1;
      }
      this.#counts.set(key, count);
    }
    return count;
  }

  /** The ranks of a variable among the `n` observations in which `other` has a value too. */
  #ranksOf(index: number, other: number, n: number): CentredRanks {
    const variable = this.#variables[index]!;
    const within = n === variable.order.length ? this.#alike[index]! : this.#alike[other]!;
    const key = `${index} ${within}`;
    let ranks = this.#ranks.get(key);
    if (ranks === undefined) {
      ranks = centre(averageRanks(variable, this.#variables[within]!.values), n);
      const [oldest] = this.#ranks.keys();
      const length = variable.values.length * (this.#ranks.size + 1);
      if (oldest !== undefined && length > MAX_KEPT_RANKS) this.#ranks.delete(oldest);
      this.#ranks.set(key, ranks);
    }
    return ranks;
  }
}

function haveSameValues(left: Variable, right: Variable): boolean {
  if (left.order.length !== right.order.length) return false;
  const [one, other] = [left.values, right.values];
  for (let place = 0; place < one.length; place++) {
    if (Number.isNaN(one[place]!) !== Number.isNaN(other[place]!)) return false;
  }
  return true;
}

/**
 * The rank of each value among those of observations in which `others` has a value too, from 0; ties get their average
 * rank. NaN for all other observations.
 */
export function averageRanks({ values, order }: Variable, others: Float64Array): Float64Array {
  const ranks = new Float64Array(values.length).fill(Number.NaN);
  let smaller = 0;
  for (let first = 0, next = 0; first < order.length; first = next) {
    const value = values[order[first]!]!;
    let equal = 0;
    for (; next < order.length && values[order[next]!] === value; next++) {
      if (!Number.isNaN(others[order[next]!]!)) equal += 1;
    }
    for (let tied = first; tied < next; tied++) {
      if (!Number.isNaN(others[order[tied]!]!)) ranks[order[tied]!] = smaller + (equal - 1) / 2;
    }
    smaller += equal;
  }
  return ranks;
}

/** Subtracts the mean of `n` ranks, in place. */
function centre(ranks: Float64Array, n: number): CentredRanks {
  const mean = (n - 1) / 2;
  let squares = 0;
  for (let place = 0; place < ranks.length; place++) {
    const centred = Number.isNaN(ranks[place]!) ? 0 : ranks[place]! - mean;
    ranks[place] = centred;
    squares += centred * centred;
  }
  return { centred: ranks, squares };
}

function sumOfProducts(left: Float64Array, right: Float64Array): number {
  let sum = 0;
  for (let place = 0; place < left.length; place++) sum += left[place]! * right[place]!;
  return sum;
}
