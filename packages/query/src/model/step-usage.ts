import { compareText } from './order.ts';
import type { SpanRecord } from './span-record.ts';

/** What the calls of one step to one model used, in one conversation. Sums are absent where no call says so. */
export interface StepUsage {
  step: string;
  provider?: string;
  model?: string;
  calls: number;
  inputTokens?: number;
  outputTokens?: number;
  /** Characters of the texts that went in. */
  inputChars?: number;
}

/**
 * What the steps of one conversation used: one entry a step, provider and model, in the order of these texts. Steps that
 * say neither a provider or model nor tokens nor a length of text have none.
 */
export function usageOf(steps: readonly SpanRecord[]): StepUsage[] {
  const entries = new Map<string, StepUsage>();
  for (const { step = '', provider, model, inputTokens, outputTokens, inputChars } of steps) {
    const amounts = { inputTokens, outputTokens, inputChars };
    const isEmpty = [provider, model, ...Object.values(amounts)].every((value) => value === undefined);
    if (isEmpty) continue;
    const key = JSON.stringify([step, provider ?? '', model ?? '']);
    let entry = entries.get(key);
    if (entry === undefined) {
      entry = { step, ...(provider !== undefined && { provider }), ...(model !== undefined && { model }), calls: 0 };
      entries.set(key, entry);
    }
    entry.calls += 1;
    for (const [name, amount] of Object.entries(amounts) as [keyof typeof amounts, number | undefined][]) {
      if (amount !== undefined) entry[name] = (entry[name] ?? 0) + amount;
    }
  }
  return [...entries].sort(([a], [b]) => compareText(a, b)).map(([, entry]) => entry);
}
