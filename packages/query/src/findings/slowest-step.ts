import { percentOf } from '../analytics/percent.ts';
import type { SlowFacts } from './facts.ts';

/** A step dominates slow conversations from this share of their completed time on, in per cent. */
export const DOMINATES_FROM_PCT = 40;

/** The step that takes most of the conversations listed. */
export interface SlowestStep {
  step: string;
  sharePct: number;
}

/** The step that dominates the conversations listed; undefined where none takes 40 % of their completed time. */
export function findSlowestStep({ completedMsByStep }: SlowFacts): SlowestStep | undefined {
  const durations = Object.entries(completedMsByStep).toSorted(([, a], [, b]) => b - a);
  const sumMs = durations.reduce((sum, [, durationMs]) => sum + durationMs, 0);
  const [slowest] = durations;
  if (slowest === undefined) return undefined;
  const sharePct = percentOf(slowest[1], sumMs);
  return sharePct >= DOMINATES_FROM_PCT ? { step: slowest[0], sharePct } : undefined;
}
