import type { SpanRecord } from '../../model/span-record.ts';
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

/**
 * Warns of conversations without a root with a step that ended less than `settleMs` before `now`: they
 * may be under way, or spans of them on the way from program to storage. Undefined where there is none.
 */
export function unsettledWarning(
  spans: readonly SpanRecord[],
  window: Window,
  now: Date,
  settleMs: number,
): string | undefined {
  const edgeUnixNano = BigInt(now.getTime() - Math.round(settleMs)) * 1_000_000n;
  if (window.untilUnixNano <= edgeUnixNano) return undefined;
  const unsettled = new Set<string>();
  for (const { role, traceId, startTimeUnixNano, durationNano } of spans) {
    if (role === 'step' && startTimeUnixNano + durationNano > edgeUnixNano) unsettled.add(traceId);
  }
  if (unsettled.size === 0) return undefined;
  for (const { role, traceId } of spans) {
    if (role === 'root') unsettled.delete(traceId);
  }
  if (unsettled.size === 0) return undefined;
  const which = unsettled.size === 1 ? '1 conversation was' : `${unsettled.size} conversations were`;
  return `${which} still at work within ${settleMs / 1000} s before reading, and may not have arrived whole.`;
}
