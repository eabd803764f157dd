/** Arrays of numbers. */
export type Numbers = Float64Array | Uint32Array | Int32Array | Uint8Array;

/** Copies of arrays, `factor` times as long. */
export function grown<Arrays extends Record<string, Numbers>>(arrays: Arrays, factor: number): Arrays {
  return Object.fromEntries(
    Object.entries(arrays).map(([name, array]) => {
      const longer = new (array.constructor as new (length: number) => Numbers)(array.length * factor);
      longer.set(array);
      return [name, longer];
    }),
  ) as Arrays;
}

/** The power of 2, at least 2, by which `length` must grow to be at least `needed`. */
export function factorFor(length: number, needed: number): number {
  let factor = 2;
  while (length * factor < needed) factor *= 2;
  return factor;
}

/** The elements of `values` at `places`, in `picked`, which has the length of `places`. */
export function pick<Values extends Numbers>(values: Values, places: Uint32Array, picked: Values): Values {
  for (let index = 0; index < places.length; index++) picked[index] = values[places[index]!]!;
  return picked;
}

/** The same for numbers of 64 bits, by their halves, which takes a fraction of the time. */
export function pickWide(values: BigInt64Array, places: Uint32Array): BigInt64Array {
  const picked = new BigInt64Array(places.length);
  const [from, to] = [new Uint32Array(values.buffer), new Uint32Array(picked.buffer)];
  for (let index = 0; index < places.length; index++) {
    to[index * 2] = from[places[index]! * 2]!;
    to[index * 2 + 1] = from[places[index]! * 2 + 1]!;
  }
  return picked;
}

/** The text that `numbers` says at each of `places`. */
export function textsAt<Text extends string>(
  places: Uint32Array,
  numbers: Uint8Array | Uint32Array,
  texts: readonly Text[],
): Text[] {
  const found: Text[] = [];
  for (let index = 0; index < places.length; index++) found.push(texts[numbers[places[index]!]!]!);
  return found;
}

/** The elements of `values` at `places`, divided by `divisor`. */
export function quotients(values: Float64Array, places: Uint32Array, divisor: number): Float64Array {
  const found = new Float64Array(places.length);
  for (let index = 0; index < places.length; index++) found[index] = values[places[index]!]! / divisor;
  return found;
}
