import type uPlot from 'uplot';
import type { ShownConversation } from '../asking/rows.ts';
import { themeColour } from './time-chart.tsx';
import { isFailed } from '../words/words.ts';

/** From here on dots would hide one another, and cells show how many there are. */
const CELLS_FROM = 2500;
const CELL_PX = 7;
/** How near a click has to be to a dot, in pixels. */
const NEAR_PX = 14;

/** Draws each conversation with a shape and a colour by its outcome, failures on top. */
export function drawDots(chart: uPlot, rows: readonly ShownConversation[]): void {
  const { ctx, bbox } = chart;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  const usual = rows.filter(({ outcome }) => !isFailed(outcome));
  const failed = rows.filter(({ outcome }) => isFailed(outcome));
  if (rows.length >= CELLS_FROM) drawCells(chart, usual);
  else drawEach(chart, usual);
  drawCrosses(chart, failed);
  ctx.restore();
}

/** The conversation at a place of the plot, in CSS pixels. */
export function nearestDot(
  chart: uPlot,
  rows: readonly ShownConversation[],
  x: number,
  y: number,
): ShownConversation | undefined {
  let nearest: ShownConversation | undefined;
  let nearestPx = NEAR_PX;
  for (const row of rows) {
    const px = Math.hypot(chart.valToPos(row.startUnixMs / 1000, 'x') - x, chart.valToPos(row.durationMs, 'y') - y);
    if (px < nearestPx) [nearest, nearestPx] = [row, px];
  }
  return nearest;
}

function placeOf(chart: uPlot, row: ShownConversation): readonly [x: number, y: number] {
  return [chart.valToPos(row.startUnixMs / 1000, 'x', true), chart.valToPos(row.durationMs, 'y', true)];
}

function drawEach(chart: uPlot, rows: readonly ShownConversation[]): void {
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

function drawCrosses(chart: uPlot, rows: readonly ShownConversation[]): void {
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

function drawCells(chart: uPlot, rows: readonly ShownConversation[]): void {
  const { ctx } = chart;
  const size = CELL_PX * devicePixelRatio;
  const counts = new Map<string, number>();
  let most = 1;
  for (const row of rows) {
    const [x, y] = placeOf(chart, row);
    const cell = `${Math.floor(x / size)} ${Math.floor(y / size)}`;
    const count = (counts.get(cell) ?? 0) + 1;
    counts.set(cell, count);
    most = Math.max(most, count);
  }
  ctx.fillStyle = themeColour('--accent');
  for (const [cell, count] of counts) {
    const [column = 0, line = 0] = cell.split(' ').map(Number);
    // A cell with one conversation has to be seen beside one with hundreds.
    ctx.globalAlpha = 0.2 + 0.8 * (Math.log1p(count) / Math.log1p(most));
    ctx.fillRect(column * size, line * size, size - 1, size - 1);
  }
  ctx.globalAlpha = 1;
}
