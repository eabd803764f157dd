import type { StepPercentiles } from '@convotel/query/answers';
import { durationWords } from '../words/words.ts';
import { stepLook } from './step-look.ts';

/** How a step's durations are spread, as `percentiles` answers it, and where one duration lies among them. */
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
