import type uPlot from 'uplot';
import type { PlacedConversation } from '../asking/answers.ts';
import { themeColour } from './time-chart.tsx';
import { isFailed } from '../words.ts';

/** From this number on, cells with counts are drawn, because dots would hide each other. */
export const CELLS_FROM = 2500;
const CELL_PX = 7;
/** Maximum distance of a click from a dot, in pixels. */
const NEAR_PX = 14;

/** Draws each conversation with the shape and colour of its outcome, failures on top. */
export function drawDots(chart: uPlot, rows: readonly PlacedConversation[]): void {
  const { ctx, bbox } = chart;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  const usual = rows.filter(isUsual);
  const failed = rows.filter((row) => !isUsual(row));
  if (rows.length >= CELLS_FROM) drawCells(chart, usual);
  else drawEach(chart, usual);
  drawCrosses(chart, failed);
  ctx.restore();
}

/** The conversation at a point of the plot, in CSS pixels. */
export function nearestDot(
  chart: uPlot,
  rows: readonly PlacedConversation[],
  x: number,
  y: number,
  withinPx = NEAR_PX,
): PlacedConversation | undefined {
  let nearest: PlacedConversation | undefined;
  let nearestPx = withinPx;
  for (const row of rows) {
    const px = Math.hypot(chart.valToPos(row.startUnixMs / 1000, 'x') - x, chart.valToPos(row.durationMs, 'y') - y);
    if (px < nearestPx) [nearest, nearestPx] = [row, px];
  }
  return nearest;
}

function placeOf(chart: uPlot, row: PlacedConversation): readonly [x: number, y: number] {
  return [chart.valToPos(row.startUnixMs / 1000, 'x', true), chart.valToPos(row.durationMs, 'y', true)];
}

function drawEach(chart: uPlot, rows: readonly PlacedConversation[]): void {
  const { ctx } = chart;
  const size = 3 * devicePixelRatio;
  const completed = themeColour('--accent');
  const other = themeColour('--warn');
  ctx.globalAlpha = 0.75;
  for (const row of rows) {
    const [x, y] = placeOf(chart, row);
    ctx.beginPath();
    if (row.outcome === 'completed') {
      ctx.fillStyle = completed;
      ctx.arc(x, y, size, 0, 2 * Math.PI);
    } else {
      ctx.fillStyle = other;
      ctx.moveTo(x, y - size * 1.3);
      ctx.lineTo(x + size * 1.2, y + size);
      ctx.lineTo(x - size * 1.2, y + size);
    }
    ctx.fill();
  }
  ctx.globalAlpha = 1;
}

function drawCrosses(chart: uPlot, rows: readonly PlacedConversation[]): void {
  const { ctx } = chart;
  const size = 3.4 * devicePixelRatio;
  ctx.strokeStyle = themeColour('--bad');
  ctx.lineWidth = 2 * devicePixelRatio;
  ctx.beginPath();
  for (const row of rows) {
    const [x, y] = placeOf(chart, row);
    ctx.moveTo(x - size, y - size);
    ctx.lineTo(x + size, y + size);
    ctx.moveTo(x + size, y - size);
    ctx.lineTo(x - size, y + size);
  }
  ctx.stroke();
}

export interface Cell {
  conversations: number;
  sinceUnixMs: number;
  untilUnixMs: number;
  minMs: number;
  maxMs: number;
}

/** The cell at a point of the plot, in CSS pixels; undefined if none is drawn there. */
export function cellAt(chart: uPlot, rows: readonly PlacedConversation[], x: number, y: number): Cell | undefined {
  const { left, top } = chart.bbox;
  const size = CELL_PX * devicePixelRatio;
  const column = Math.floor((left + x * devicePixelRatio) / size);
  const line = Math.floor((top + y * devicePixelRatio) / size);
  const conversations = rows.filter((row) => {
    const [rowX, rowY] = placeOf(chart, row);
    return Math.floor(rowX / size) === column && Math.floor(rowY / size) === line && isUsual(row);
  }).length;
  if (conversations === 0) return undefined;
  const time = (place: number): number => chart.posToVal((place * size - left) / devicePixelRatio, 'x') * 1000;
  const duration = (place: number): number => chart.posToVal((place * size - top) / devicePixelRatio, 'y');
  return {
    conversations,
    sinceUnixMs: time(column),
    untilUnixMs: time(column + 1),
    minMs: Math.max(duration(line + 1), 0),
    maxMs: duration(line),
  };
}

function isUsual({ outcome }: PlacedConversation): boolean {
  return !isFailed(outcome);
}

function drawCells(chart: uPlot, rows: readonly PlacedConversation[]): void {
  const { ctx } = chart;
  const size = CELL_PX * devicePixelRatio;
  const counts = new Map<string, number>();
  for (const row of rows) {
    const [x, y] = placeOf(chart, row);
    const cell = `${Math.floor(x / size)} ${Math.floor(y / size)}`;
    counts.set(cell, (counts.get(cell) ?? 0) + 1);
  }
  const most = Math.max(...counts.values(), 1);
  ctx.fillStyle = themeColour('--accent');
  for (const [cell, count] of counts) {
    const [column = 0, line = 0] = cell.split(' ').map(Number);
    // Logarithmic, so that a cell with one conversation is visible beside one with hundreds.
    ctx.globalAlpha = 0.2 + 0.8 * (Math.log1p(count) / Math.log1p(most));
    ctx.fillRect(column * size, line * size, size - 1, size - 1);
  }
  ctx.globalAlpha = 1;
}
