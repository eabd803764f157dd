/** How many traces a search may ask for, as far as the server has shown. */
export class SearchDepth {
  readonly #max: number;
  #usual: number;
  #leastRefused = Number.POSITIVE_INFINITY;

  constructor(usual: number, max: number) {
    this.#usual = usual;
    this.#max = max;
  }

  /** What to ask for where nothing speaks for more. */
  get usual(): number {
    return this.#usual;
  }

  /** Notes that the server refused `depth`. Returns whether there is a smaller one. */
  refuse(depth: number): boolean {
    this.#leastRefused = Math.min(this.#leastRefused, depth);
    if (this.#usual >= this.#leastRefused) this.#usual = Math.max(1, Math.floor(this.#leastRefused / 2));
    return this.#leastRefused > 1;
  }

  /** A greater depth than one that was not enough, as far as the server takes it; undefined where there is none. */
  deeperThan(depth: number): number | undefined {
    const middle = Math.floor((depth + this.#leastRefused) / 2);
    const deeper = Math.min(depth * 2, this.#max, middle);
    return deeper > depth ? deeper : undefined;
  }
}
