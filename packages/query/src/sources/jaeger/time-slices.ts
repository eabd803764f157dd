import type { SpanRecord } from '../../model/span-record.ts';
import type { Window } from '../../model/window.ts';

/** A slice this short is not cut any more: 1 ms. */
const SHORTEST_NANO = 1_000_000n;

/** Some storages tell microseconds apart and no less. */
const NANO_PER_MICROSECOND = 1000n;

/** A part of a slice should hold this share of the traces that one search may answer with. */
const AIMED_SHARE = 0.6;

const MOST_PARTS = 64;

/** Whether a slice can be cut in two. */
export function isDivisible(slice: Window): boolean {
  return widthOf(slice) > SHORTEST_NANO;
}

/** Cuts `slice` into equal parts, the newest first: at least two, where it is divisible. */
export function cutSlice(slice: Window, wantedParts: number): Window[] {
  const most = (widthOf(slice) + SHORTEST_NANO - 1n) / SHORTEST_NANO;
  const wanted = BigInt(Math.min(Math.max(2, wantedParts), MOST_PARTS));
  const count = wanted < most ? wanted : most;
  const parts: Window[] = [];
  let untilUnixNano = slice.untilUnixNano;
  for (let index = count - 1n; index > 0n; index--) {
    const cut = slice.sinceUnixNano + (widthOf(slice) * index) / count;
    const sinceUnixNano = cut - (cut % NANO_PER_MICROSECOND);
    if (sinceUnixNano <= slice.sinceUnixNano || sinceUnixNano >= untilUnixNano) continue;
    parts.push({ sinceUnixNano, untilUnixNano });
    untilUnixNano = sinceUnixNano;
  }
  parts.push({ sinceUnixNano: slice.sinceUnixNano, untilUnixNano });
  return parts;
}

/**
 * Into how many parts to cut a slice whose answer was full, so that one search suffices for each.
 *
 * Storages answer with the newest traces first, so the answer shows how dense traces are before the newest: half of them
 * lie between it and their median. The slice is taken to be as dense throughout; where it is not, parts are cut again.
 */
export function estimateParts(slice: Window, spans: readonly SpanRecord[], depth: number): number {
  const startsByTrace = new Map<string, bigint>();
  for (const { traceId, startTimeUnixNano } of spans) {
    if (startTimeUnixNano < slice.sinceUnixNano || startTimeUnixNano >= slice.untilUnixNano) continue;
    const known = startsByTrace.get(traceId);
    if (known === undefined || startTimeUnixNano < known) startsByTrace.set(traceId, startTimeUnixNano);
  }
  const starts = [...startsByTrace.values()].map((start) => Number(start - slice.sinceUnixNano)).sort((a, b) => b - a);
  const half = Math.floor(starts.length / 2);
  const [newest, median] = [starts[0], starts[half]];
  if (newest === undefined || median === undefined || newest === median) return 2;
  const expectedTraces = (half * Number(widthOf(slice))) / (newest - median);
  return Math.ceil(expectedTraces / (depth * AIMED_SHARE));
}

function widthOf({ sinceUnixNano, untilUnixNano }: Window): bigint {
  return untilUnixNano - sinceUnixNano;
}
