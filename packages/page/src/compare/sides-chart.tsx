import { useMemo } from 'preact/hooks';
import type uPlot from 'uplot';
import type { Window } from '@convotel/query/answers';
import { timeText, unixMs } from '../address.ts';
import type { Address } from '../address.ts';
import { ask } from '../asking/ask.ts';
import type { PlacedConversation } from '../asking/answers.ts';
import { useAnswer } from '../asking/use-answer.ts';
import { drawDots } from '../drawing/draw-dots.ts';
import { themeColour, TimeChart } from '../drawing/time-chart.tsx';
import { Problem } from '../frame/view.tsx';

/** The two windows that are compared. */
export interface Sides {
  before: Window;
  after: Window;
}

const SERIES: uPlot.Series[] = [{ paths: () => null, points: { show: false } }];

/**
 * The conversations around both windows, with the windows marked; a click splits, a drag selects. Unix milliseconds.
 */
export function SidesChart(props: {
  address: Address;
  zone: string;
  window: Window;
  sides: Sides;
  onSplit: (atMs: number) => void;
  onSelect: (sinceMs: number, untilMs: number) => void;
}) {
  const { address, zone, window, sides, onSplit, onSelect } = props;
  const { since, until, filters, before, after } = address;
  const known = useAnswer(`sides ${JSON.stringify([since, until, before, after, filters])}`, () =>
    ask('places', { filters, window }),
  );
  const rows = known.value?.conversations ?? NO_ROWS;
  const marks = Object.values(sides).flatMap(({ sinceUnixNano, untilUnixNano }: Window) =>
    [sinceUnixNano, untilUnixNano].map((at) => timeText(unixMs(at))),
  );
  const data = useMemo<uPlot.AlignedData>(
    () => [rows.map(({ startUnixMs }) => startUnixMs / 1000), rows.map(({ durationMs }) => durationMs)],
    // The marks are drawn with the data.
    [rows, marks.join(' ')],
  );
  return (
    <>
      <Problem known={known} />
      <TimeChart
        label="Conversations by start and duration, with the windows before and after"
        zone={zone}
        heightPx={180}
        data={data}
        series={SERIES}
        sinceSeconds={unixMs(window.sinceUnixNano) / 1000}
        untilSeconds={unixMs(window.untilUnixNano) / 1000}
        draw={(chart) => {
          drawDots(chart, rows);
          drawSide(chart, 'before', sides.before, '--warn');
          drawSide(chart, 'after', sides.after, '--good');
        }}
        onClick={(chart, x) => onSplit(chart.posToVal(x, 'x') * 1000)}
        onSelect={(from, to) => onSelect(from * 1000, to * 1000)}
      />
    </>
  );
}

const NO_ROWS: PlacedConversation[] = [];

/** Draws a pale band between two lines, with a label. */
function drawSide(chart: uPlot, name: string, { sinceUnixNano, untilUnixNano }: Window, colour: string): void {
  const { ctx, bbox } = chart;
  const x = (unixNano: bigint): number => chart.valToPos(unixMs(unixNano) / 1000, 'x', true);
  const [left, right] = [x(sinceUnixNano), x(untilUnixNano)];
  const line = 2 * devicePixelRatio;
  ctx.save();
  ctx.fillStyle = themeColour(colour);
  ctx.globalAlpha = 0.1;
  ctx.fillRect(left, bbox.top, right - left, bbox.height);
  ctx.globalAlpha = 1;
  ctx.fillRect(left, bbox.top, right - left, line);
  ctx.fillRect(left, bbox.top, line / 2, bbox.height);
  ctx.fillRect(right - line / 2, bbox.top, line / 2, bbox.height);
  ctx.fillStyle = themeColour('--ink');
  ctx.font = `600 ${12 * devicePixelRatio}px system-ui`;
  ctx.textBaseline = 'top';
  ctx.textAlign = 'center';
  ctx.fillText(name, (left + right) / 2, bbox.top + 2 * line);
  ctx.restore();
}
