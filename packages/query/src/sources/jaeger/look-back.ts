import type { Window } from '../../model/window.ts';
import { formatInstant } from '../../time/instant.ts';

/** Clocks of other machines may run ahead by this much. */
const AHEAD_NANO = 3_600_000_000_000n;

const UNITS: readonly [name: string, ms: number][] = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
];

/** One stretch back from now. */
export interface LookBack {
  window: Window;
  /** Says how far back that was; undefined where it was everything. */
  limit?: string;
}

/** The stretches to look back over, the shortest first; each contains the ones before it. */
export function lookBacks(now: Date, lookBackMs: readonly number[]): LookBack[] {
  const nowUnixNano = BigInt(now.getTime()) * 1_000_000n;
  const untilUnixNano = nowUnixNano + AHEAD_NANO;
  return lookBackMs.map((ms) => {
    const sinceUnixNano = Number.isFinite(ms) ? nowUnixNano - BigInt(Math.round(ms)) * 1_000_000n : 0n;
    if (sinceUnixNano <= 0n) return { window: { sinceUnixNano: 0n, untilUnixNano } };
    return {
      window: { sinceUnixNano, untilUnixNano },
      limit: `${durationText(ms)}, back to ${formatInstant(sinceUnixNano, 0)}`,
    };
  });
}

function durationText(ms: number): string {
  const [name, unitMs] = UNITS.find(([, unit]) => ms >= unit && ms % unit === 0) ?? ['second', 1000];
  const count = ms / unitMs;
  return `${count} ${name}${count === 1 ? '' : 's'}`;
}
