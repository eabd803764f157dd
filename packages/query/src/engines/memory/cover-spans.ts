import type { Coverage } from '../../model/coverage.ts';
import { isInWindow } from '../../model/window.ts';
import type { Window } from '../../model/window.ts';
import { samplingWarnings } from '../../model/sampling-warning.ts';
import type { SampledProgram } from '../../model/sampling-warning.ts';
import type { Trace } from './trace.ts';

/** Counts the spans of `traces` that start in `window`, and the traces with a root or a step among those. */
export function coverSpans(traces: readonly Trace[], window: Window | undefined): Coverage {
  let conversations = 0;
  let spanCount = 0;
  const sampled: SampledProgram[] = [];
  for (const { spans } of traces) {
    let isSeen = false;
    for (const span of spans) {
      if (!isInWindow(span.startTimeUnixNano, window)) continue;
      spanCount += 1;
      if (span.role !== 'other') isSeen = true;
      if (span.samplingRatio !== undefined) sampled.push(span);
    }
    if (isSeen) conversations += 1;
  }
  return { conversations, spans: spanCount, complete: true, warnings: samplingWarnings(sampled) };
}
