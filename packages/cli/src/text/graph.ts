import { isFailure } from '@convotel/conventions';
import type { ConversationDetail, StepRow } from '@convotel/query';
import { stepLabel, outcomeMark, lightRule, secondsText } from './page.ts';
import type { TextContext } from './page.ts';
import { PRINTED_COLUMNS, layOutTable, tableWidths } from './table.ts';
import type { Column, TableLines } from './table.ts';

/** Blocks of one to seven eighths of a cell. */
const EIGHTHS_RIGHT = ['▏', '▎', '▍', '▌', '▋', '▊', '▉'];
const EIGHTHS_UP = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

const MAX_BAR_CELLS = 40;
/** With less room, bars are not drawn. */
const MIN_BAR_CELLS = 5;

/** A horizontal bar with a resolution of an eighth of a cell. `max` fills all `cells`; any value above 0 is visible. */
export function barText(value: number, max: number, cells: number): string {
  if (!(value > 0 && max > 0)) return '';
  const eighths = Math.max(1, Math.round((Math.min(value, max) / max) * cells * 8));
  return '█'.repeat(Math.floor(eighths / 8)) + (EIGHTHS_RIGHT[(eighths % 8) - 1] ?? '');
}

/** Cells available for bars beside a table of `tableCells`; undefined if there is no room or drawing is off. */
export function barCells(tableCells: number, { graph, columns = PRINTED_COLUMNS }: TextContext): number | undefined {
  const room = Math.min(columns - tableCells - 2, MAX_BAR_CELLS);
  return graph && room >= MIN_BAR_CELLS ? room : undefined;
}

/** One character per value, scaled from the lowest to the highest; a space for a missing value. */
export function sparkline(values: readonly (number | undefined)[]): string {
  const known = values.filter((value) => value !== undefined);
  const low = Math.min(...known);
  const span = Math.max(...known) - low;
  return values
    .map((value) => {
      if (value === undefined) return ' ';
      // If all values are equal, they are drawn at half height.
      return EIGHTHS_UP[span === 0 ? 3 : Math.round(((value - low) / span) * (EIGHTHS_UP.length - 1))];
    })
    .join('');
}

/** Maximum length of the axis in cells if the output is not a terminal. */
const MAX_PRINTED_CELLS = 40;
const MIN_CELLS = 10;
const MAX_CELLS = 60;
/** Minimum length of a wait that is shown, as a fraction of the conversation. */
const MIN_WAIT_SHARE = 0.02;

/** One line of the waterfall, in milliseconds from the beginning of the conversation. */
interface Stretch {
  label: string;
  startMs: number;
  endMs: number;
  /** Its start and its length in seconds, written once: the table is measured before it is laid out. */
  atText: string;
  forText: string;
  /** When a step gave its first output. */
  firstOutputMs?: number;
  /** Whether no step was running. */
  isWait: boolean;
  /** Whether the step failed, such as an attempt that was retried. */
  isFailure?: boolean;
}

/**
 * The steps of a conversation on a common time axis. With `graph`, the time before a step's first output is shaded
 * lightly and failed steps darkly, and a period in which no step ran has a line of its own.
 */
export function waterfall(detail: ConversationDetail, context: TextContext): TableLines {
  const stretches = stretchesOf(detail, context);
  const labelled: Column<Stretch>[] = [
    { heading: '  Step', width: 14, align: 'left', cell: ({ label }) => label },
    { heading: 'At (s)', width: 7, align: 'right', gap: 1, cell: ({ atText }) => atText },
    { heading: 'For (s)', width: 7, align: 'right', gap: 1, cell: ({ forText }) => forText },
  ];
  const { columns } = context;
  const besideLabels = (columns ?? PRINTED_COLUMNS) - tableWidths(labelled, stretches).wide - 4;
  const isBelow = columns !== undefined && besideLabels < MIN_CELLS;
  const cells =
    columns === undefined
      ? Math.min(Math.max(besideLabels, MIN_CELLS), MAX_PRINTED_CELLS)
      : Math.min(isBelow ? columns - 4 : besideLabels, MAX_CELLS);
  const barOf = (stretch: Stretch): string => bar(stretch, detail.durationMs, cells);
  if (isBelow) return layOutTable(labelled, stretches, context, (stretch) => `\n  ${barOf(stretch)}`);
  const end = `${secondsText(detail.durationMs)}s`;
  const axis = {
    heading: ` 0s${end.padStart(cells - 2)}`,
    width: cells + 2,
    align: 'left',
    gap: 2,
    cell: barOf,
  } as const;
  return layOutTable([...labelled, axis], stretches, context);
}

/** Explains the shading; empty if there is none. */
export function waterfallLegend(detail: ConversationDetail, context: TextContext): string[] {
  if (!context.graph || detail.steps.length === 0) return [];
  const stretches = stretchesOf(detail, context);
  const meanings = [
    ...(stretches.some(({ firstOutputMs }) => firstOutputMs !== undefined)
      ? ['░ before its first output', '█ after it']
      : []),
    ...(stretches.some((stretch) => stretch.isFailure) ? ['▒ failed'] : []),
    ...(stretches.some(({ isWait }) => isWait) ? ['· no step ran'] : []),
  ];
  return meanings.length === 0 ? [] : [lightRule(80, context), meanings.join('   ')];
}

function stretchesOf(detail: ConversationDetail, context: TextContext): Stretch[] {
  const offsetOf = (step: StepRow): number =>
    step.offsetMs ?? (microsecondsOf(step.startTime) - microsecondsOf(detail.startTime)) / 1000;
  const stretches: Stretch[] = [];
  let coveredMs = 0;
  for (const step of detail.steps) {
    const offsetMs = offsetOf(step);
    if (context.graph && offsetMs - coveredMs > detail.durationMs * MIN_WAIT_SHARE) {
      stretches.push({
        label: '  (waiting)',
        startMs: coveredMs,
        endMs: offsetMs,
        atText: secondsText(coveredMs),
        forText: secondsText(offsetMs - coveredMs),
        isWait: true,
      });
    }
    const endMs = offsetMs + step.durationMs;
    coveredMs = Math.max(coveredMs, endMs);
    const first = context.graph ? step.timeToFirstOutputMs : undefined;
    const stretch: Stretch = {
      label: `${outcomeMark(step.outcome, context)} ${stepLabel(step)}`,
      startMs: offsetMs,
      endMs,
      atText: secondsText(offsetMs),
      forText: secondsText(endMs - offsetMs),
      isWait: false,
      isFailure: context.graph && isFailure(step.outcome),
    };
    if (first !== undefined) stretch.firstOutputMs = offsetMs + first;
    stretches.push(stretch);
  }
  return stretches;
}

/** Unix microseconds of a time with 6 decimals, as in answers. */
function microsecondsOf(time: string): number {
  return Date.parse(`${time.slice(0, 'YYYY-MM-DDTHH:MM:SS'.length)}Z`) * 1000 + Number(time.slice(-7, -1));
}

/** Draws the stretch on the axis, at least one cell long, so that a short step is visible. */
export function bar(
  {
    startMs,
    endMs,
    firstOutputMs,
    isWait,
    isFailure: hasFailed = false,
  }: Omit<Stretch, 'label' | 'atText' | 'forText'>,
  wholeMs: number,
  cells: number,
): string {
  const cellsAt = (milliseconds: number): number => (wholeMs > 0 ? (milliseconds / wholeMs) * cells : 0);
  const first = Math.min(Math.max(Math.floor(cellsAt(startMs)), 0), cells - 1);
  const end = Math.min(Math.max(Math.round(cellsAt(endMs)), first + 1), cells);
  const output =
    firstOutputMs === undefined ? first : Math.min(Math.max(Math.round(cellsAt(firstOutputMs)), first), end);
  const drawn = isWait
    ? '·'.repeat(end - first)
    : '░'.repeat(output - first) + (hasFailed ? '▒' : '█').repeat(end - output);
  return `|${' '.repeat(first)}${drawn}${' '.repeat(cells - end)}|`;
}
