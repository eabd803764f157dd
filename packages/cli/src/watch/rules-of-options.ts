import { highErrorRate, noConversations, slowConversations, slowStep } from '@convotel/query';
import type { AlertRule } from '@convotel/query';
import type { Invocation } from '../command-line/command-definition.ts';
import { filtersOf } from '../command-line/filters.ts';
import { parseMilliseconds, parsePercentage, parseWholeNumber } from '../command-line/number-option.ts';
import { UsageError } from '../command-line/usage-error.ts';

/**
 * The rules that the options of `watch` ask for; those of the failure rate and of slow conversations are always there.
 * @throws {@link UsageError} when an option is not as it must be.
 */
export function rulesOfOptions({ texts, flags, lists }: Pick<Invocation, 'texts' | 'flags' | 'lists'>): AlertRule[] {
  const filters = filtersOf(texts);
  const { maxSlow, slowThreshold } = texts;
  return [
    ...errorRateRules(lists['maxErrorRate'] ?? []).map((limit) => highErrorRate({ ...limit, filters })),
    slowConversations({
      ...(slowThreshold === undefined ? {} : { thresholdMs: parseMilliseconds(slowThreshold, '--slow-threshold') }),
      ...(maxSlow === undefined ? {} : { moreThan: parseWholeNumber(maxSlow, '--max-slow', 0, 1_000_000) }),
      filters,
    }),
    ...(lists['maxP95'] ?? []).map((text) => {
      const { step, value } = splitLimit(text);
      if (step === undefined)
        throw new UsageError(`--max-p95 takes a step and milliseconds such as gpt=8000, got "${text}".`);
      return slowStep({ step, aboveMs: parseMilliseconds(value, '--max-p95'), filters });
    }),
    ...(flags.has('idle') ? [noConversations({ filters })] : []),
  ];
}

/** A limit for one step replaces neither the one for every step nor another step's. */
function errorRateRules(texts: readonly string[]): { abovePct?: number; step?: string }[] {
  if (texts.length === 0) return [{}];
  return texts.map((text) => {
    const { step, value } = splitLimit(text);
    return { abovePct: parsePercentage(value, '--max-error-rate'), ...(step === undefined ? {} : { step }) };
  });
}

/** `gpt=5` → step and value; `5` → value alone. A step's name may hold an equals sign itself. */
function splitLimit(text: string): { step?: string; value: string } {
  const place = text.lastIndexOf('=');
  return place === -1 ? { value: text } : { step: text.slice(0, place), value: text.slice(place + 1) };
}
