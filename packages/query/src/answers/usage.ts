import { stepKindOf } from '@convotel/conventions';
import type { StepKind } from '@convotel/conventions';
import type { UsageSum } from '../model/usage-sums.ts';
import type { ConversationSource } from '../questions.ts';
import { buildReport, checkWindowed } from './report.ts';
import type { Report, WindowedOptions } from './report.ts';

/** The price of a model, in any currency. */
export interface ModelPrice {
  inputPerMillionTokens?: number | undefined;
  outputPerMillionTokens?: number | undefined;
  /** Of text to speak. If the model also has a price per minute, used only if the length of the audio is unknown. */
  perMillionCharacters?: number | undefined;
  /** Of transcribed or generated audio. */
  perAudioMinute?: number | undefined;
}

/** What `usage` can be grouped by. */
export type UsageGroup = 'model' | 'day' | 'workflow' | 'session' | 'step';

/** Options of {@link usage}. */
export interface UsageOptions extends WindowedOptions {
  /** @defaultValue `'model'` */
  by?: UsageGroup | undefined;
  /** Prices by model name as in the spans. Without prices, there is no cost. */
  prices?: Readonly<Record<string, ModelPrice>> | undefined;
  /** Returns the kind of a step. @defaultValue derived from the name */
  kindOf?: ((step: string) => StepKind) | undefined;
}

/** A row of `usage`. Sums are absent if no call has the value. */
export interface UsageRow {
  /** The model, day, workflow, session or step; absent if calls do not have one. */
  group?: string;
  calls: number;
  inputTokens?: number;
  outputTokens?: number;
  /** Number of characters that text-to-speech steps received. */
  spokenChars?: number;
  /** Seconds of audio that steps received or generated. */
  audioSeconds?: number;
  /** Total of the calls with a price; absent if none has one. */
  cost?: number;
  /** Number of calls that used something without a price, or that have a price per minute but no length of audio. */
  unpricedCalls: number;
}

/** The data of `usage`. */
export interface Usage {
  by: UsageGroup;
  rows: UsageRow[];
  /** Over all rows, without `group`. */
  total: UsageRow;
  /** Models that were used and have no price, sorted; empty if no prices were given. */
  unpricedModels: string[];
  /** Models with a price per minute of audio that have calls without a length of audio; sorted. */
  unmeasuredModels: string[];
}

/**
 * Model usage of the conversations that start in the window: calls, tokens, characters spoken, seconds of audio and,
 * with prices, cost. Ordered by cost, then calls, largest first; days in chronological order.
 * @throws `QueryError` `OPTION_OUT_OF_RANGE`; `SourceError` if the source cannot answer.
 */
export async function usage(source: ConversationSource, options: UsageOptions): Promise<Report<'usage', Usage>> {
  checkWindowed(options);
  const { window, timeZone, filters = {}, by = 'model', prices, kindOf = stepKindOf } = options;

  const groups = new Map<string | undefined, Sum>();
  const total = new Sum();
  const unpriced = new Set<string>();
  const unmeasured = new Set<string>();
  const grouping = by === 'model' || by === 'step' ? {} : { by };
  const { data: sums, coverage } = await source.ask({ name: 'model-usage', window, filters, timeZone, ...grouping });
  for (const used of sums) {
    const isSpeech = kindOf(used.step) === 'text_to_speech';
    // A text length alone does not show that a model was called.
    const amounts = [used.model, used.inputTokens, used.outputTokens, used.audioSeconds];
    if (!isSpeech && amounts.every((amount) => amount === undefined)) continue;
    const cost = prices === undefined ? undefined : costOf(used, isSpeech, prices);
    if (prices !== undefined && cost === undefined && used.model !== undefined) {
      (isUnmeasured(used, prices) ? unmeasured : unpriced).add(used.model);
    }
    const group = by === 'model' || by === 'step' ? used[by] : used.group;
    let sum = groups.get(group);
    if (sum === undefined) groups.set(group, (sum = new Sum()));
    for (const each of [sum, total]) each.add(used, isSpeech, cost, prices !== undefined);
  }
  const rows = [...groups].map(([group, sum]) => sum.row(group)).sort(by === 'day' ? byGroup : byCost);
  const data = {
    by,
    rows,
    total: total.row(undefined),
    unpricedModels: [...unpriced].sort(),
    unmeasuredModels: [...unmeasured].sort(),
  };
  return buildReport({ command: 'usage', source, window, timeZone, coverage, data });
}

type Prices = Readonly<Record<string, ModelPrice>>;

function priceOf({ model }: UsageSum, prices: Prices): ModelPrice | undefined {
  return model !== undefined && Object.hasOwn(prices, model) ? prices[model] : undefined;
}

/** Undefined if something that was used has no price, or something with a price was not measured. */
function costOf(used: UsageSum, isSpeech: boolean, prices: Prices): number | undefined {
  const price = priceOf(used, prices);
  if (price === undefined || isUnmeasured(used, prices)) return undefined;
  const { inputTokens = 0, outputTokens = 0, inputChars = 0, audioSeconds } = used;
  const { perAudioMinute, perMillionCharacters } = price;
  const isByToken = inputTokens + outputTokens > 0;
  const isByMinute = perAudioMinute !== undefined && audioSeconds !== undefined;
  const isByCharacter = isSpeech && !isByToken && !isByMinute && inputChars > 0;
  const parts = [
    [inputTokens / 1e6, price.inputPerMillionTokens],
    [outputTokens / 1e6, price.outputPerMillionTokens],
    [isByCharacter ? inputChars / 1e6 : 0, perMillionCharacters],
    // The length of the audio may be known for a model with another kind of price.
    [isByToken || isByCharacter ? 0 : (audioSeconds ?? 0) / 60, perAudioMinute],
  ] as const;
  let cost = 0;
  for (const [amount, each] of parts) {
    if (amount === 0) continue;
    if (each === undefined) return undefined;
    cost += amount * each;
  }
  return cost;
}

/** Whether the model has only a price per minute, and the length of the audio is unknown. */
function isUnmeasured(used: UsageSum, prices: Prices): boolean {
  const { perAudioMinute, ...others } = priceOf(used, prices) ?? {};
  const isByMinute = perAudioMinute !== undefined && Object.values(others).every((price) => price === undefined);
  return isByMinute && used.audioSeconds === undefined;
}

/** Adds up what calls used. */
class Sum {
  readonly #row: UsageRow = { calls: 0, unpricedCalls: 0 };

  add(
    { calls, inputTokens, outputTokens, inputChars, audioSeconds }: UsageSum,
    isSpeech: boolean,
    cost?: number,
    priced = false,
  ): void {
    this.#row.calls += calls;
    if (priced && cost === undefined) this.#row.unpricedCalls += calls;
    const amounts = { inputTokens, outputTokens, spokenChars: isSpeech ? inputChars : undefined, audioSeconds, cost };
    for (const [name, amount] of Object.entries(amounts) as [keyof typeof amounts, number | undefined][]) {
      if (amount !== undefined) this.#row[name] = (this.#row[name] ?? 0) + amount;
    }
  }

  row(group: string | undefined): UsageRow {
    return { ...(group !== undefined && { group }), ...this.#row };
  }
}

function byCost(a: UsageRow, b: UsageRow): number {
  return (b.cost ?? 0) - (a.cost ?? 0) || b.calls - a.calls || byGroup(a, b);
}

/** Sorts absent groups last. */
function byGroup(a: UsageRow, b: UsageRow): number {
  if (a.group === undefined || b.group === undefined)
    return Number(a.group === undefined) - Number(b.group === undefined);
  return a.group < b.group ? -1 : Number(a.group > b.group);
}
