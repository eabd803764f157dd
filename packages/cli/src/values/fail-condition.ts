import type { ComparisonRow } from '@convotel/query';
import { UsageError } from '../usage-error.ts';
import { isDuration, parseDurationNano } from './duration.ts';

/** A condition on the rows of a comparison, such as `slower` or `gpt.p95>+10%`. */
export interface FailCondition {
  /** As it was written. */
  text: string;
  /**
   * Whether a row fulfils it.
   * @throws {@link UsageError} where no row is the one that it names, or none has the figure that it compares.
   */
  isMet(rows: readonly ComparisonRow[]): boolean;
}

type Figure = 'average' | 'p50' | 'p95' | 'error-rate';
type Unit = '%' | 'ms' | 'points';

interface Parts {
  step: string;
  figure: Figure;
  comparison: '>' | '<';
  limit: number;
  unit: Unit;
}

const FORM =
  'slower, faster, or a condition such as gpt.p95>+10%, "response latency.average>+200ms" or conversation.error-rate>+2points';

const FIGURES: Readonly<Record<Figure, (side: ComparisonRow['before']) => number | undefined>> = {
  average: ({ averageMs }) => averageMs,
  p50: ({ p50Ms }) => p50Ms,
  p95: ({ p95Ms }) => p95Ms,
  'error-rate': ({ finalErrorRatePct, errorRatePct }) => finalErrorRatePct ?? errorRatePct,
};

/**
 * Takes `slower`, `faster`, or `<row>.<figure><change>`: a row's name, `average`, `p50`, `p95` or `error-rate`, `>` or
 * `<`, and a change with its sign, in per cent or a time; in percentage points for an error rate.
 */
export function failCondition(text: string, flag: string): FailCondition {
  if (text === 'slower' || text === 'faster') {
    return { text, isMet: (rows) => rows.some(({ verdict }) => verdict === text) };
  }
  const parts = parseCondition(text, flag);
  return { text, isMet: (rows) => isMet(parts, text, flag, rows) };
}

function parseCondition(text: string, flag: string): Parts {
  const refuse = (reason: string): UsageError => new UsageError(`${flag} takes ${FORM}, got "${text}": ${reason}.`);
  const match = /^(.+)\.([^.<>]+?)\s*([<>])\s*(\S+)$/.exec(text.trim());
  if (match === null) throw refuse('it has no row, figure and change, as in <row>.<figure>><change>');
  const [, step = '', figure = '', comparison = '', change = ''] = match;
  if (!isFigure(figure)) throw refuse(`"${figure}" is not one of ${Object.keys(FIGURES).join(', ')}`);
  const sign = change.startsWith('-') ? -1 : 1;
  if (!/^[+-]/.test(change)) throw refuse(`the change "${change}" has no sign; write +${change} or -${change}`);
  const amount = change.slice(1);
  const [, number, unit] = /^(\d+(?:\.\d+)?)(%|points?)$/.exec(amount) ?? [];
  const shared = { step, figure, comparison: comparison as '>' | '<' };
  if (figure === 'error-rate') {
    if (unit?.startsWith('point')) return { ...shared, limit: sign * Number(number), unit: 'points' };
    throw refuse('an error rate changes by percentage points, such as +2points');
  }
  if (unit === '%') return { ...shared, limit: sign * Number(number), unit: '%' };
  if (/^0+(?:\.0+)?(?:ms|s)$/.test(amount)) return { ...shared, limit: 0, unit: 'ms' };
  if (!isDuration(amount)) throw refuse(`"${change}" is neither per cent, such as +10%, nor a time, such as +200ms`);
  return { ...shared, limit: (sign * Number(parseDurationNano(amount, flag))) / 1e6, unit: 'ms' };
}

function isFigure(text: string): text is Figure {
  return Object.hasOwn(FIGURES, text);
}

function isMet(
  { step, figure, comparison, limit, unit }: Parts,
  text: string,
  flag: string,
  rows: readonly ComparisonRow[],
): boolean {
  const named = rows.filter((row) => row.step === step);
  if (named.length === 0) {
    const names = [...new Set(rows.map((row) => row.step))].join(', ');
    throw new UsageError(`${flag} ${text} cannot be judged: there is no row "${step}"; there are ${names}.`);
  }
  const changes = named.flatMap(({ before, after }) => {
    const [one, other] = [FIGURES[figure](before), FIGURES[figure](after)];
    if (one === undefined || other === undefined || (unit === '%' && one === 0)) return [];
    return unit === '%' ? ((other - one) / one) * 100 : other - one;
  });
  if (changes.length === 0) {
    throw new UsageError(
      `${flag} ${text} cannot be judged: the row "${step}" has no ${figure} on both sides; choose longer windows.`,
    );
  }
  return changes.some((change) => (comparison === '>' ? change > limit : change < limit));
}
