import { stepKindOf } from '@convotel/conventions';
import type { ShownDetail } from '../asking/rows.ts';

/**
 * Where the response latency lies on the axis: it ends with the first output of a step that answers the user, which is
 * its own where it is known, else the beginning of playback or the end of text to speech. Undefined where no such step
 * is there, or the latency is not known.
 */
export function responseMark({ responseMs, steps }: ShownDetail): { fromMs: number; untilMs: number } | undefined {
  if (responseMs === undefined) return undefined;
  const outputsMs = steps.flatMap(({ step, offsetMs, durationMs, timeToFirstOutputMs }) => {
    const kind = stepKindOf(step);
    if (kind === 'playback') return [offsetMs + (timeToFirstOutputMs ?? 0)];
    return kind === 'text_to_speech' ? [offsetMs + (timeToFirstOutputMs ?? durationMs)] : [];
  });
  if (outputsMs.length === 0) return undefined;
  const untilMs = Math.min(...outputsMs);
  return untilMs < responseMs ? undefined : { fromMs: untilMs - responseMs, untilMs };
}
