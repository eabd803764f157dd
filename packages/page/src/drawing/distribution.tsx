import type { StepPercentiles } from '@convotel/query/answers';
import type { StepSpread } from '../asking/answers.ts';
import { axisWords, countWords, durationWords } from '../words.ts';
import { stepLook } from './marks.tsx';

/** Number of columns of the axis. */
const COLUMNS = 60;

/**
 * Histograms of durations and, mirrored below on the same axis, of times to first output, with the median, the 95th and
 * the 99th percentile.
 */
export function Distribution(props: { step: string; spread: StepSpread; percentiles: StepPercentiles }) {
  const { step, spread, percentiles } = props;
  const { p50, p95, p99 } = percentiles.percentiles;
  if (p50 === undefined || p95 === undefined || p99 === undefined) {
    return <p class="soft">No call has completed in this window.</p>;
  }
  const scaleMs = Math.max(spread.durationsMs.at(-1) ?? 0, p99) * 1.04 || 1;
  const percent = (ms: number): string => `${(ms / scaleMs) * 100}%`;
  const marks = [
    ['P50', p50],
    ['P95', p95],
    ['P99', p99],
  ] as const;
  const words = marks.map(([name, ms]) => `${name} ${durationWords(ms)}`).join(', ');
  return (
    <figure class="distribution">
      <div class={`distribution-plot ${stepLook(step)}`} role="img" aria-label={`${step}: ${words}`}>
        <Columns values={spread.durationsMs} scaleMs={scaleMs} look="" />
        {spread.firstOutputsMs.length === 0 ? null : (
          <Columns values={spread.firstOutputsMs} scaleMs={scaleMs} look="first-output" />
        )}
        {marks.map(([name, ms]) => (
          <i
            key={name}
            class={`distribution-mark mark-${name.toLowerCase()}`}
            style={{ insetInlineStart: percent(ms) }}
          >
            <small>{name}</small>
          </i>
        ))}
        <span class="distribution-axis">
          {axisTicks(scaleMs).map((ms) => (
            <span key={ms} style={{ insetInlineStart: percent(ms) }}>
              {axisWords(ms)}
            </span>
          ))}
        </span>
      </div>
      <figcaption>
        {words}; of {countWords(percentiles.count, 'call')}.
        {spread.firstOutputsMs.length === 0
          ? ''
          : ' Above the line: how long they take. Below it: until their first output.'}
      </figcaption>
    </figure>
  );
}

function Columns({ values, scaleMs, look }: { values: readonly number[]; scaleMs: number; look: string }) {
  const counts = Array.from({ length: COLUMNS }, () => 0);
  for (const ms of values) {
    const column = Math.min(Math.floor((ms / scaleMs) * COLUMNS), COLUMNS - 1);
    counts[column] = (counts[column] ?? 0) + 1;
  }
  const most = Math.max(...counts, 1);
  return (
    <svg class={`distribution-columns ${look}`} viewBox={`0 0 ${COLUMNS} 100`} preserveAspectRatio="none">
      {counts.map((count, column) =>
        count === 0 ? null : (
          <rect
            key={column}
            x={column + 0.06}
            width="0.88"
            y={look === '' ? 100 - (count / most) * 100 : 0}
            height={(count / most) * 100}
          />
        ),
      )}
    </svg>
  );
}

/** The percentiles of a step's duration on an axis, with a mark at one duration. */
export function Place({ percentiles, markMs }: { percentiles: StepPercentiles; markMs?: number | undefined }) {
  const { p10, p25, p50, p75, p90, p95, p99 } = percentiles.percentiles;
  if (p10 === undefined || p99 === undefined) return <p class="soft">No completed call to compare with.</p>;
  const scaleMs = Math.max(p99, markMs ?? 0) * 1.04 || 1;
  const x = (ms: number | undefined): number => ((ms ?? 0) / scaleMs) * 100;
  const words = `half of the calls take less than ${durationWords(p50 ?? 0)}, 95 of 100 less than ${durationWords(p95 ?? 0)}`;
  return (
    <figure class="place">
      <svg
        class={stepLook(percentiles.step)}
        viewBox="0 0 100 24"
        preserveAspectRatio="none"
        role="img"
        aria-label={words}
      >
        <line class="axis" x1="0" x2="100" y1="14" y2="14" />
        <rect class="place-wide" x={x(p10)} width={x(p90) - x(p10)} y="9" height="10" rx="0.5" />
        <rect class="place-half" x={x(p25)} width={x(p75) - x(p25)} y="7" height="14" rx="0.5" />
        <line class="place-median" x1={x(p50)} x2={x(p50)} y1="5" y2="23" />
        <line class="place-tail" x1={x(p99)} x2={x(p99)} y1="10" y2="18" />
        {markMs === undefined ? null : <line class="place-mark" x1={x(markMs)} x2={x(markMs)} y1="0" y2="24" />}
      </svg>
      <figcaption>
        P50 {durationWords(p50 ?? 0)} · P95 {durationWords(p95 ?? 0)} · P99 {durationWords(p99)} · n ={' '}
        {percentiles.count.toLocaleString('en')}
      </figcaption>
    </figure>
  );
}

/** Approximate number of ticks of an axis. */
const TICKS = 6;

/** Round milliseconds from 0 up to `endMs`, at steps of 1, 2 or 5 times a power of ten. */
export function axisTicks(endMs: number): number[] {
  const rough = endMs / TICKS;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10);
  const count = Math.floor(endMs / step + 1e-9);
  return Array.from({ length: count + 1 }, (_, index) => index * step);
}
