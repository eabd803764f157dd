import { useMemo } from 'preact/hooks';
import type uPlot from 'uplot';
import type { Window } from '@convotel/query/answers';
import { unixMs } from '../address/address.ts';
import type { Address } from '../address/address.ts';
import { ask } from '../asking/ask.ts';
import { shownConversation } from '../asking/rows.ts';
import type { ShownConversation } from '../asking/rows.ts';
import { useAnswer } from '../asking/use-answer.ts';
import { drawDots } from '../drawing/draw-dots.ts';
import { themeColour, TimeChart } from '../drawing/time-chart.tsx';
import { Problem } from '../frame/answered.tsx';

const SERIES: uPlot.Series[] = [{ paths: () => null, points: { show: false } }];

interface SplitChartProps {
  address: Address;
  zone: string;
  window: Window;
  splitMs: number;
  onSplit: (atMs: number) => void;
}

/** The conversations of both sides, with the line between before and after; a click moves it. */
export function SplitChart({ address, zone, window, splitMs, onSplit }: SplitChartProps) {
  const { since, until, filters } = address;
  const known = useAnswer(`split ${JSON.stringify([since, until, filters, zone])}`, async () => {
    const report = await ask('recent', { timeZone: zone, filters, window, limit: 10_000 });
    return report.data.map(shownConversation).toReversed();
  });
  const rows = known.value ?? NO_ROWS;
  const data = useMemo<uPlot.AlignedData>(
    () => [rows.map(({ startUnixMs }) => startUnixMs / 1000), rows.map(({ durationMs }) => durationMs)],
    // The line is drawn with the data.
    [rows, splitMs],
  );
  return (
    <>
      <Problem known={known} />
      <TimeChart
        label="Conversations by start and duration, before and after the split"
        zone={zone}
        heightPx={180}
        data={data}
        series={SERIES}
        sinceSeconds={unixMs(window.sinceUnixNano) / 1000}
        untilSeconds={unixMs(window.untilUnixNano) / 1000}
        draw={(chart) => {
          drawDots(chart, rows);
          drawSplit(chart, splitMs / 1000);
        }}
        onClick={(chart, x) => onSplit(chart.posToVal(x, 'x') * 1000)}
      />
    </>
  );
}

const NO_ROWS: ShownConversation[] = [];

function drawSplit(chart: uPlot, atSeconds: number): void {
  const { ctx, bbox } = chart;
  const x = chart.valToPos(atSeconds, 'x', true);
  ctx.save();
  ctx.fillStyle = themeColour('--ink');
  ctx.fillRect(x - devicePixelRatio, bbox.top, 2 * devicePixelRatio, bbox.height);
  ctx.font = `600 ${12 * devicePixelRatio}px system-ui`;
  ctx.textBaseline = 'top';
  ctx.textAlign = 'right';
  ctx.fillText('before', x - 8 * devicePixelRatio, bbox.top);
  ctx.textAlign = 'left';
  ctx.fillText('after', x + 8 * devicePixelRatio, bbox.top);
  ctx.restore();
}
