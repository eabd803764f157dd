import { compareAbsentLast, compareText } from './order.ts';

/** What model calls used: calls of the same step, model and group that recorded the same amounts. */
export interface UsageSum {
  /** With `by`; absent if the conversation has no such value. */
  group?: string;
  step: string;
  model?: string;
  calls: number;
  /** An amount is absent if these calls did not record it, and 0 only if it is 0 in all of them. */
  inputTokens?: number;
  outputTokens?: number;
  /** Characters of the input texts. */
  inputChars?: number;
  /** Seconds of audio that went in or came out. */
  audioSeconds?: number;
}

const AMOUNTS = ['inputTokens', 'outputTokens', 'inputChars', 'audioSeconds'] as const;

/** Adds up what calls used. */
export class UsageSums {
  readonly #sums = new Map<string, UsageSum>();

  /** Adds the calls of `usage` to those of the same step, model and group that recorded the same amounts. */
  add(usage: UsageSum): void {
    const { group = null, step, model = null } = usage;
    const recorded = AMOUNTS.map((amount) => (usage[amount] === undefined ? '-' : Math.sign(usage[amount])));
    const key = JSON.stringify([recorded.join(''), step, model, group]);
    const sum = this.#sums.get(key);
    if (sum === undefined) {
      this.#sums.set(key, { ...usage });
      return;
    }
    sum.calls += usage.calls;
    for (const amount of AMOUNTS) {
      if (usage[amount] !== undefined) sum[amount] = sum[amount]! + usage[amount];
    }
  }

  /** The sums by group, then step, model and recorded amounts; absent groups and models last. */
  inOrder(): UsageSum[] {
    return [...this.#sums]
      .sort(
        ([keyA, a], [keyB, b]) =>
          compareAbsentLast(a.group, b.group) ||
          compareText(a.step, b.step) ||
          compareAbsentLast(a.model, b.model) ||
          compareText(keyA, keyB),
      )
      .map(([, sum]) => sum);
  }
}
