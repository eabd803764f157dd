import { stepKindOf } from '@convotel/conventions';
import type { StepKind } from '@convotel/conventions';
import type { ConversationRecord, StepUsage } from '../model/conversation.ts';
import type { ConversationSource } from '../questions.ts';
import { formatLocalInstant } from '../time/instant.ts';
import { buildReport, checkWindowed } from './report.ts';
import type { Report, WindowedOptions } from './report.ts';
import { readConversations } from './sessions.ts';

/** What a model costs, in any currency. */
export interface ModelPrice {
  inputPerMillionTokens?: number | undefined;
  outputPerMillionTokens?: number | undefined;
  /** Of text that was spoken; of a model that is paid by the minute too, where the length of the audio is not known. */
  perMillionCharacters?: number | undefined;
  /** Of audio that was transcribed or made. */
  perAudioMinute?: number | undefined;
}

/** What rows of `usage` are about. */
export type UsageGroup = 'model' | 'day' | 'workflow' | 'session' | 'step';

/** What {@link usage} is asked with. */
export interface UsageOptions extends WindowedOptions {
  /** @defaultValue `'model'` */
  by?: UsageGroup | undefined;
  /** Prices by the name of the model that spans carry. Without any, there is no cost. */
  prices?: Readonly<Record<string, ModelPrice>> | undefined;
  /** Kinds of steps whose name does not tell. */
  kindOf?: ((step: string) => StepKind) | undefined;
}

/** A row of `usage`. Sums are absent where no call says so. */
export interface UsageRow {
  /** The model, day, workflow, session or step; absent where calls do not say it. */
  group?: string;
  calls: number;
  inputTokens?: number;
  outputTokens?: number;
  /** Characters that text-to-speech steps were given to speak. */
  spokenChars?: number;
  /** Seconds of audio that steps were given or made. */
  audioSeconds?: number;
  /** Of the calls that have a price; absent where none has. */
  cost?: number;
  /** Calls that used something which has no price, or are paid by the minute of audio and do not say how long it was. */
  unpricedCalls: number;
}

/** The data of `usage`. */
export interface Usage {
  by: UsageGroup;
  rows: UsageRow[];
  /** Over all rows, without `group`. */
  total: UsageRow;
  /** Models that were used and have no price, in order; empty where no prices were given. */
  unpricedModels: string[];
  /** Models that are paid by the minute of audio, of which no call of some conversation says how long that was; in order. */
  unmeasuredModels: string[];
}

/**
 * What the conversations that start in the window used: calls, tokens, characters spoken, seconds of audio and, with
 * prices, what they cost; by model unless told. The largest row by cost, then calls, comes first; days in order. Reads as many
 * conversations as there are, up to a million; where there are more, the coverage is incomplete and a warning says so.
 * @throws `QueryError` `OPTION_OUT_OF_RANGE`; `SourceError` when the source cannot answer.
 */
export async function usage(source: ConversationSource, options: UsageOptions): Promise<Report<'usage', Usage>> {
  checkWindowed(options);
  const { window, timeZone, filters = {}, by = 'model', prices, kindOf = stepKindOf } = options;

  const groups = new Map<string | undefined, Sum>();
  const total = new Sum();
  const unpriced = new Set<string>();
  const unmeasured = new Set<string>();
  const coverage = await readConversations(source, { window, filters }, (conversation) => {
    for (const used of conversation.usage) {
      const isSpeech = kindOf(used.step) === 'text_to_speech';
      // A length of text alone is what a step was given, not what anybody pays for.
      const amounts = [used.model, used.inputTokens, used.outputTokens, used.audioSeconds];
      if (!isSpeech && amounts.every((amount) => amount === undefined)) continue;
      const cost = prices === undefined ? undefined : costOf(used, isSpeech, prices);
      if (prices !== undefined && cost === undefined && used.model !== undefined) {
        (isUnmeasured(used, prices) ? unmeasured : unpriced).add(used.model);
      }
      const group = groupOf(by, conversation, used, timeZone);
      let sum = groups.get(group);
      if (sum === undefined) groups.set(group, (sum = new Sum()));
      for (const each of [sum, total]) each.add(used, isSpeech, cost, prices !== undefined);
    }
  });
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

function groupOf(
  by: UsageGroup,
  { sessionId, workflow, startTimeUnixNano }: ConversationRecord,
  { model, step }: StepUsage,
  timeZone: string,
): string | undefined {
  switch (by) {
    case 'model':
      return model;
    case 'step':
      return step;
    case 'session':
      return sessionId;
    case 'workflow':
      return workflow;
    case 'day':
      return formatLocalInstant(startTimeUnixNano, timeZone, 0).slice(0, 'YYYY-MM-DD'.length);
  }
}

type Prices = Readonly<Record<string, ModelPrice>>;

function priceOf({ model }: StepUsage, prices: Prices): ModelPrice | undefined {
  return model !== undefined && Object.hasOwn(prices, model) ? prices[model] : undefined;
}

/** Undefined where something that was used has no price, or what has a price was not measured. */
function costOf(used: StepUsage, isSpeech: boolean, prices: Prices): number | undefined {
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
    // How long the audio was may be known of a model that is paid by something else.
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

/** Whether the model is paid by the minute alone, and nobody said how many there were. */
function isUnmeasured(used: StepUsage, prices: Prices): boolean {
  const { perAudioMinute, ...others } = priceOf(used, prices) ?? {};
  const isByMinute = perAudioMinute !== undefined && Object.values(others).every((price) => price === undefined);
  return isByMinute && used.audioSeconds === undefined;
}

/** Adds up what calls used. */
class Sum {
  readonly #row: UsageRow = { calls: 0, unpricedCalls: 0 };

  add(
    { calls, inputTokens, outputTokens, inputChars, audioSeconds }: StepUsage,
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

/** An absent one behind the others. */
function byGroup(a: UsageRow, b: UsageRow): number {
  if (a.group === undefined || b.group === undefined)
    return Number(a.group === undefined) - Number(b.group === undefined);
  return a.group < b.group ? -1 : Number(a.group > b.group);
}
