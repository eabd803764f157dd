import { useMemo } from 'preact/hooks';
import type uPlot from 'uplot';
import type { Window } from '@convotel/query/answers';
import { formatAddress, unixMs, windowOf } from '../address/address.ts';
import type { Address } from '../address/address.ts';
import { ask } from '../asking/ask.ts';
import type { AnswerOf } from '../asking/answers.ts';
import { useAnswer } from '../asking/use-answer.ts';
import { Findings } from '../drawing/findings.tsx';
import { Place } from '../drawing/place.tsx';
import { themeColour, TimeChart } from '../drawing/time-chart.tsx';
import { Answered } from '../frame/answered.tsx';

/** Into how many stretches the window is parted. */
const STRETCHES = 24;

/** One step: how its durations are spread, and its percentiles over time. */
export function OneStep(props: {
  step: string;
  spread: AnswerOf<'percentiles'> | undefined;
  address: Address;
  zone: string;
}) {
  const { step, spread, address, zone } = props;
  const { filters } = address;
  const known = useAnswer(
    `over time ${JSON.stringify([step, address.since, address.until, filters, zone])}`,
    async () => {
      const window = windowOf(address, Date.now());
      const stretches = partsOf(window, STRETCHES);
      const answers = await Promise.all(
        stretches.map((each) => ask('percentiles', { step, window: each, filters, timeZone: zone })),
      );
      // A stretch without a call is nothing to warn of.
      return { window, stretches, answers, coverage: { complete: true, warnings: [] } };
    },
  );
  return (
    <section aria-labelledby="one-step">
      <h2 id="one-step">{step}</h2>
      {spread === undefined ? null : (
        <>
          <Place percentiles={spread.data} />
          <Findings findings={spread.findings} />
        </>
      )}
      <h3>Over time</h3>
      <Answered known={known}>
        {({ window, stretches, answers }) => (
          <OverTime window={window} stretches={stretches} answers={answers} step={step} zone={zone} />
        )}
      </Answered>
      <p>
        <a href={formatAddress({ ...address, view: 'conversations', step: undefined, order: 'longest' })}>
          The longest conversations of this window
        </a>
      </p>
    </section>
  );
}

function OverTime(props: {
  window: Window;
  stretches: readonly Window[];
  answers: readonly AnswerOf<'percentiles'>[];
  step: string;
  zone: string;
}) {
  const { window, stretches, answers, step, zone } = props;
  const data = useMemo<uPlot.AlignedData>(
    () => [
      stretches.map(({ sinceUnixNano, untilUnixNano }) => (unixMs(sinceUnixNano) + unixMs(untilUnixNano)) / 2000),
      answers.map(({ data: found }) => found.percentiles.p50 ?? null),
      answers.map(({ data: found }) => found.percentiles.p95 ?? null),
    ],
    [stretches, answers],
  );
  const series: uPlot.Series[] = [
    { stroke: () => themeColour('--accent'), width: 2, points: { show: true, size: 5 }, spanGaps: true },
    { stroke: () => themeColour('--warn'), width: 2, dash: [6, 4], points: { show: true, size: 5 }, spanGaps: true },
  ];
  return (
    <>
      <TimeChart
        label={`P50 and P95 of ${step} over time`}
        zone={zone}
        heightPx={200}
        data={data}
        series={series}
        sinceSeconds={unixMs(window.sinceUnixNano) / 1000}
        untilSeconds={unixMs(window.untilUnixNano) / 1000}
      />
      <ul class="legend">
        <li>
          <i class="swatch key-p50" />
          P50
        </li>
        <li>
          <i class="swatch key-p95" />
          P95 (dashed)
        </li>
      </ul>
    </>
  );
}

/** `window` in `count` stretches of the same length. */
function partsOf({ sinceUnixNano, untilUnixNano }: Window, count: number): Window[] {
  const bound = (index: number): bigint =>
    sinceUnixNano + ((untilUnixNano - sinceUnixNano) * BigInt(index)) / BigInt(count);
  return Array.from({ length: count }, (_, index) => ({
    sinceUnixNano: bound(index),
    untilUnixNano: bound(index + 1),
  })).filter((each) => each.sinceUnixNano < each.untilUnixNano);
}
