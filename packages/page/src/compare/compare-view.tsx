import { useState } from 'preact/hooks';
import type { Window, ComparisonRow } from '@convotel/query/answers';
import { replaceAddress, timeText, unixMs, windowOf } from '../address.ts';
import type { Address, Stretch } from '../address.ts';
import { ask } from '../asking/ask.ts';
import { useAnswer } from '../asking/use-answer.ts';
import { Findings, stepLook } from '../drawing/marks.tsx';
import { Answered } from '../frame/view.tsx';
import { TimeInput } from '../frame/header.tsx';
import type { ViewProps } from '../frame/view.tsx';
import { countWords, shortTimeWords, changeWords, countText, percentWords } from '../words.ts';
import { SidesChart } from './sides-chart.tsx';
import type { Sides } from './sides-chart.tsx';
import { RESPONSE_ROW } from '../asking/rows.ts';
import { durationCell, Table } from '../drawing/table.tsx';
import type { Column } from '../drawing/table.tsx';

const NAMES = ['before', 'after'] as const;

/**
 * Compares two windows: either the two parts of one, which is split where the user clicks (by default in the middle),
 * or any two that the user chooses.
 */
export function CompareView({ address, zone }: ViewProps) {
  const { filters, before, after } = address;
  const [chosen, setChosen] = useState<keyof Sides>('before');
  const window = windowOf(address, Date.now());
  const splitMs = splitOf(address, window);
  const sides = sidesOf(address, window, splitMs);
  const known = useAnswer(
    `compare ${JSON.stringify([address.since, address.until, address.split, before, after, filters, zone])}`,
    () => ask('compare', { ...sides, filters, timeZone: zone }),
  );
  const isSplit = before === undefined && after === undefined;

  const splitAt = (atMs: number): void => {
    if (atMs <= unixMs(window.sinceUnixNano) || atMs >= unixMs(window.untilUnixNano)) return;
    replaceAddress({ ...address, split: timeText(atMs), before: undefined, after: undefined });
  };
  const choose = (name: keyof Sides, stretch: Stretch): void => {
    if (Date.parse(stretch[0]) >= Date.parse(stretch[1])) return;
    // Changes only one of the two.
    const both = { before: stretchOf(sides.before), after: stretchOf(sides.after), [name]: stretch };
    replaceAddress({ ...address, split: undefined, ...both });
  };
  return (
    <section class="compare">
      <div class="view-head">
        <h1>Compare</h1>
        <p class="soft">{NAMES.map((name) => `${name}: ${windowWords(sides[name], zone)}`).join('; ')}</p>
      </div>
      <div class="card">
        <SidesChart
          address={address}
          zone={zone}
          window={around(window, sides)}
          sides={sides}
          onSplit={splitAt}
          onSelect={(sinceMs, untilMs) => {
            choose(chosen, [timeText(sinceMs), timeText(untilMs)]);
            setChosen('after');
          }}
        />
        <div class="sides">
          <p class="soft">
            Click where the change happened, or give the time:{' '}
            <TimeInput
              label="Split at"
              at={timeText(splitMs)}
              zone={zone}
              onTime={(time) => splitAt(Date.parse(time))}
            />
            {isSplit ? null : ' splits the window again.'}
          </p>
          <fieldset>
            <legend class="soft">Or choose both windows; dragging over the chart sets the one that is marked:</legend>
            {NAMES.map((name) => {
              const [since, until] = stretchOf(sides[name]);
              return (
                <p key={name} class="side">
                  <label>
                    <input type="radio" name="side" checked={chosen === name} onChange={() => setChosen(name)} /> {name}
                  </label>
                  <TimeInput label="from" at={since} zone={zone} onTime={(time) => choose(name, [time, until])} />
                  <TimeInput label="until" at={until} zone={zone} onTime={(time) => choose(name, [since, time])} />
                </p>
              );
            })}
          </fieldset>
        </div>
      </div>
      <Answered known={known}>
        {(report) => (
          <div class="two-columns">
            <div class="wide-column">
              <ComparisonTable rows={report.data} />
              <p class="soft">
                {countWords(report.coverage.conversations, 'conversation')} read. A bar is the 95 % interval of the
                difference of the averages; one that holds 0 shows no clear change.
              </p>
            </div>
            <section class="panel" aria-labelledby="compare-words">
              <h2 id="compare-words">In words</h2>
              <Findings findings={report.findings} />
            </section>
          </div>
        )}
      </Answered>
    </section>
  );
}

function splitOf({ split }: Address, { sinceUnixNano, untilUnixNano }: Window): number {
  const [sinceMs, untilMs] = [unixMs(sinceUnixNano), unixMs(untilUnixNano)];
  const asked = split === undefined ? Number.NaN : Date.parse(split);
  return asked > sinceMs && asked < untilMs ? asked : (sinceMs + untilMs) / 2;
}

function sidesOf({ before, after }: Address, window: Window, splitMs: number): Sides {
  const split = BigInt(Math.round(splitMs)) * 1_000_000n;
  const windowIn = ([since, until]: Stretch): Window => windowOf({ since, until }, 0);
  return {
    before: before === undefined ? { ...window, untilUnixNano: split } : windowIn(before),
    after: after === undefined ? { ...window, sinceUnixNano: split } : windowIn(after),
  };
}

function stretchOf({ sinceUnixNano, untilUnixNano }: Window): Stretch {
  return [timeText(unixMs(sinceUnixNano)), timeText(unixMs(untilUnixNano))];
}

/** `window`, extended to contain both sides. */
function around(window: Window, { before, after }: Sides): Window {
  const all = [window, before, after];
  return {
    sinceUnixNano: all.map((each) => each.sinceUnixNano).reduce((a, b) => (b < a ? b : a)),
    untilUnixNano: all.map((each) => each.untilUnixNano).reduce((a, b) => (b > a ? b : a)),
  };
}

function windowWords({ sinceUnixNano, untilUnixNano }: Window, zone: string): string {
  return `${shortTimeWords(unixMs(sinceUnixNano), zone)} to ${shortTimeWords(unixMs(untilUnixNano), zone)}`;
}

/** The rows of `compare`, with confidence intervals drawn on a common scale. */
export function ComparisonTable({ rows }: { rows: readonly ComparisonRow[] }) {
  const reachMs = Math.max(
    ...rows.flatMap(({ deltaMs = 0, intervalMs = [0, 0] }) => [deltaMs, ...intervalMs].map(Math.abs)),
    1,
  );
  const whole = rows.at(-1);
  const columns: Column<ComparisonRow>[] = [
    {
      name: 'Step',
      cell: (row) => (
        <>
          {row === whole || row.step === RESPONSE_ROW ? null : <i class={`swatch ${stepLook(row.step)}`} />}
          {row.step}
        </>
      ),
    },
    sideColumn('Before', ({ before }) => before),
    sideColumn('After', ({ after }) => after),
    {
      name: 'Change',
      isNumber: true,
      cell: ({ deltaMs, deltaPct }) => (
        <>
          {deltaMs === undefined ? '–' : changeWords(deltaMs)}
          {deltaPct === undefined ? null : <small> {percentWords(deltaPct)}</small>}
        </>
      ),
    },
    { name: '95 % interval', cell: (row) => <Interval reachMs={reachMs} row={row} /> },
    {
      name: 'Verdict',
      look: lookOf,
      cell: ({ verdict }) => (
        <>
          <span aria-hidden="true">{SIGNS[verdict]}</span> {verdict}
        </>
      ),
    },
    {
      name: 'Failed',
      isNumber: true,
      cell: ({ before, after }) => `${rateWords(before.errorRatePct)} → ${rateWords(after.errorRatePct)}`,
    },
  ];
  return (
    <Table
      label="Before and after, per step"
      columns={columns}
      rows={rows}
      keyOf={(row) => (row === whole ? 'whole' : `step ${row.step}`)}
      look={(row) => (row === whole ? 'whole-row' : '')}
    />
  );
}

function sideColumn(name: string, sideOf: (row: ComparisonRow) => ComparisonRow['before']): Column<ComparisonRow> {
  return {
    name,
    isNumber: true,
    cell: (row) => durationCell(sideOf(row).averageMs),
    title: (row) => `${countText(sideOf(row).count)} counted`,
  };
}

function rateWords(percent: number | undefined): string {
  return percent === undefined ? '–' : percentWords(percent);
}

function lookOf({ verdict }: ComparisonRow): string {
  return `verdict-${verdict.replaceAll(' ', '-')}`;
}

const SIGNS: Readonly<Record<ComparisonRow['verdict'], string>> = {
  faster: '▼',
  slower: '▲',
  'no clear change': '≈',
  'too few': '?',
};

function Interval({ reachMs, row }: { reachMs: number; row: ComparisonRow }) {
  const { deltaMs, intervalMs } = row;
  const x = (ms: number): number => 50 + (ms / reachMs) * 48;
  const label =
    intervalMs === undefined ? 'no interval' : `from ${changeWords(intervalMs[0])} to ${changeWords(intervalMs[1])}`;
  return (
    <svg
      class={`interval ${lookOf(row)}`}
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
