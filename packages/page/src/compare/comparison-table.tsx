import type { ComparisonRow } from '@convotel/query/answers';
import { RESPONSE_ROW } from '../asking/rows.ts';
import { stepLook } from '../drawing/step-look.ts';
import { changeWords, countText, durationWords, percentWords } from '../words/words.ts';

/** The rows of `compare`, with the intervals drawn on one scale. */
export function ComparisonTable({ rows }: { rows: readonly ComparisonRow[] }) {
  const reachMs = Math.max(
    ...rows.flatMap(({ deltaMs = 0, intervalMs = [0, 0] }) => [deltaMs, ...intervalMs].map(Math.abs)),
    1,
  );
  const words = (ms: number | undefined): string => (ms === undefined ? '–' : durationWords(ms));
  return (
    <div class="table-box" tabIndex={0} role="region" aria-label="Before and after, per step">
      <table>
        <thead>
          <tr>
            <th scope="col">Step</th>
            <th scope="col" class="number">
              Before
            </th>
            <th scope="col" class="number">
              After
            </th>
            <th scope="col" class="number">
              Change
            </th>
            <th scope="col">95 % interval</th>
            <th scope="col">Verdict</th>
            <th scope="col" class="number">
              Failed
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ step, before, after, deltaMs, deltaPct, intervalMs, verdict }, index) => (
            <tr key={step} class={index === rows.length - 1 ? 'whole-row' : ''}>
              <th scope="row">
                {index === rows.length - 1 || step === RESPONSE_ROW ? null : <i class={`swatch ${stepLook(step)}`} />}
                {step}
              </th>
              <td class="number" title={`${countText(before.count)} counted`}>
                {words(before.averageMs)}
              </td>
              <td class="number" title={`${countText(after.count)} counted`}>
                {words(after.averageMs)}
              </td>
              <td class="number">
                {deltaMs === undefined ? '–' : changeWords(deltaMs)}
                {deltaPct === undefined ? null : <small> {percentWords(deltaPct)}</small>}
              </td>
              <td>
                <Interval reachMs={reachMs} deltaMs={deltaMs} intervalMs={intervalMs} verdict={verdict} />
              </td>
              <td class={`verdict-${verdict.replaceAll(' ', '-')}`}>
                <span aria-hidden="true">{SIGNS[verdict]}</span> {verdict}
              </td>
              <td class="number">
                {before.errorRatePct === undefined ? '–' : percentWords(before.errorRatePct)} →{' '}
                {after.errorRatePct === undefined ? '–' : percentWords(after.errorRatePct)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const SIGNS: Readonly<Record<ComparisonRow['verdict'], string>> = {
  faster: '▼',
  slower: '▲',
  'no clear change': '≈',
  'too few': '?',
};

function Interval(
  props: { reachMs: number } & Pick<ComparisonRow, 'verdict'> & {
      deltaMs: number | undefined;
      intervalMs: ComparisonRow['intervalMs'] | undefined;
    },
) {
  const { reachMs, deltaMs, intervalMs, verdict } = props;
  const x = (ms: number): number => 50 + (ms / reachMs) * 48;
  const label =
    intervalMs === undefined ? 'no interval' : `from ${changeWords(intervalMs[0])} to ${changeWords(intervalMs[1])}`;
  return (
    <svg
      class={`interval verdict-${verdict.replaceAll(' ', '-')}`}
      viewBox="0 0 100 16"
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      <line class="zero" x1="50" x2="50" y1="0" y2="16" />
      {intervalMs === undefined ? null : (
        <rect
          class="reach"
          x={x(intervalMs[0])}
          width={Math.max(x(intervalMs[1]) - x(intervalMs[0]), 0.6)}
          y="5"
          height="6"
        />
      )}
      {deltaMs === undefined ? null : <line class="delta" x1={x(deltaMs)} x2={x(deltaMs)} y1="2" y2="14" />}
    </svg>
  );
}
