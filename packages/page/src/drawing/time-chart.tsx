import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { useEffect, useRef } from 'preact/hooks';
import { axisWords, countText } from '../words.ts';

export interface TimeChartProps {
  /** Description for screen readers. */
  label: string;
  zone: string;
  heightPx: number;
  /** Unix seconds in ascending order, then a row of milliseconds for each of `series`. */
  data: uPlot.AlignedData;
  series: uPlot.Series[];
  /** Start of the time axis, in Unix seconds. */
  sinceSeconds: number;
  untilSeconds: number;
  /** Whether the vertical axis shows counts instead of milliseconds. */
  isCount?: boolean | undefined;
  /** Draws on top of, or instead of, the series. */
  draw?: ((chart: uPlot) => void) | undefined;
  /** Called after a click, in pixels of the plot. */
  onClick?: ((chart: uPlot, x: number, y: number) => void) | undefined;
  onMove?: ((chart: uPlot, x: number, y: number) => void) | undefined;
  /** Called after an interval was selected with the mouse, in Unix seconds. */
  onSelect?: ((since: number, until: number) => void) | undefined;
}

/** Allowed distances between two ticks of a count axis: integers. */
const COUNT_STEPS = [1, 2, 5]
  .flatMap((step) => [1, 10, 100, 1000, 10_000].map((power) => step * power))
  .sort((a, b) => a - b);

/** A shorter drag, in pixels, counts as a click. */
const MIN_DRAG_PX = 4;

/** A uPlot chart that fills the available width and uses the colours of the theme. */
export function TimeChart(props: TimeChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const latest = useRef(props);
  latest.current = props;
  const chart = useRef<uPlot>(undefined);

  useEffect(() => {
    const element = place.current!;
    const make = (): void => {
      chart.current?.destroy();
      chart.current = new uPlot(optionsOf(latest, element.clientWidth), latest.current.data, element);
    };
    make();
    const resized = new ResizeObserver(() => {
      chart.current?.setSize({ width: element.clientWidth, height: latest.current.heightPx });
    });
    resized.observe(element);
    const theme = matchMedia('(prefers-color-scheme: dark)');
    theme.addEventListener('change', make);
    return () => {
      theme.removeEventListener('change', make);
      resized.disconnect();
      chart.current?.destroy();
    };
  }, [props.zone, props.series.length]);

  useEffect(() => chart.current?.setData(props.data), [props.data, props.sinceSeconds, props.untilSeconds]);

  return <div ref={place} class="chart" role="img" aria-label={props.label} />;
}

/** The value of a theme colour, for drawing on a canvas. */
export function themeColour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function optionsOf(latest: { current: TimeChartProps }, width: number): uPlot.Options {
  const { zone, heightPx, series, onSelect, isCount = false } = latest.current;
  const soft = themeColour('--soft');
  const line = themeColour('--line');
  const axis = {
    stroke: soft,
    grid: { stroke: line, width: 1 },
    ticks: { stroke: line, width: 1 },
    font: '12px system-ui',
  };
  // A drag ends with a click event, which is ignored.
  let isDragged = false;
  return {
    width,
    height: heightPx,
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), zone),
    legend: { show: false },
    cursor: {
      points: { show: false },
      y: false,
      drag: { x: onSelect !== undefined, y: false, setScale: false },
      bind: { dblclick: () => null },
    },
    scales: {
      x: { range: () => padded(latest.current) },
      y: { range: (_chart, _min, max) => [0, (max ?? 1) * 1.08 || 1] },
    },
    axes: [
      { ...axis, values: (_chart, ticks, _axis, _space, stepSeconds) => timeLabels(ticks, stepSeconds, zone) },
      {
        ...axis,
        size: 56,
        ...(isCount && { incrs: COUNT_STEPS }),
        values: (_chart, ticks) => ticks.map((tick) => (isCount ? countText(tick) : axisWords(tick))),
      },
    ],
    series: [{}, ...series],
    hooks: {
      draw: [(chart) => latest.current.draw?.(chart)],
      setSelect: [
        (chart) => {
          const { left, width: selected } = chart.select;
          if (selected < MIN_DRAG_PX) return;
          isDragged = true;
          chart.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          latest.current.onSelect?.(chart.posToVal(left, 'x'), chart.posToVal(left + selected, 'x'));
        },
      ],
      ready: [
        (chart) => {
          chart.over.addEventListener('mousedown', () => {
            isDragged = false;
          });
          chart.over.addEventListener('click', ({ offsetX, offsetY }) => {
            if (!isDragged) latest.current.onClick?.(chart, offsetX, offsetY);
          });
          chart.over.addEventListener('mousemove', ({ offsetX, offsetY }) =>
            latest.current.onMove?.(chart, offsetX, offsetY),
          );
        },
      ],
    },
  };
}

/** Slightly more than the requested range, so that points at its ends are fully visible. */
function padded({ sinceSeconds, untilSeconds }: TimeChartProps): [min: number, max: number] {
  const margin = (untilSeconds - sinceSeconds) * 0.008;
  return [sinceSeconds - margin, untilSeconds + margin];
}

const DAY_SECONDS = 86_400;

/** Times (24-hour clock) if ticks are less than a day apart, else dates. */
function timeLabels(ticks: number[], stepSeconds: number, zone: string): string[] {
  return ticks.map((tick) => {
    const date = uPlot.tzDate(new Date(tick * 1000), zone);
    const day = `${date.getDate()} ${MONTHS[date.getMonth()] ?? ''}`;
    if (stepSeconds >= DAY_SECONDS) return day;
    const clock = `${twoDigits(date.getHours())}:${twoDigits(date.getMinutes())}`;
    if (stepSeconds < 60) return `${clock}:${twoDigits(date.getSeconds())}`;
    return date.getHours() === 0 && date.getMinutes() === 0 ? day : clock;
  });
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}
