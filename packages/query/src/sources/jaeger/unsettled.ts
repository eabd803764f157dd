import type { SpanRecord } from '../../model/span-record.ts';
import type { Window } from '../../model/window.ts';

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
