import { useMemo } from 'preact/hooks';
import uPlot from 'uplot';
import type { StepAverageRow, StepErrorRow, StepPercentiles } from '@convotel/query/answers';
import { formatAddress, unixMs } from '../address.ts';
import { ask } from '../asking/ask.ts';
import type { AnswerOf, StepStretch } from '../asking/answers.ts';
import { errorRatePct, failuresOf, RESPONSE_ROW } from '../asking/rows.ts';
import { askedFor, useAnswer } from '../asking/use-answer.ts';
import { Distribution } from '../drawing/distribution.tsx';
import { CommonErrors, Findings, stepLook } from '../drawing/marks.tsx';
import { CellBar, durationCell, Table } from '../drawing/table.tsx';
import type { Column } from '../drawing/table.tsx';
import { themeColour, TimeChart } from '../drawing/time-chart.tsx';
import { Answered, Problem } from '../frame/view.tsx';
import type { ViewProps } from '../frame/view.tsx';
import { countText, percentWords } from '../words.ts';

/** Number of intervals that the window is divided into. */
const STRETCHES = 24;
/** Number of kinds of failures that are read, from which those of the step are selected. */
const ERRORS_READ = 1000;
const ERRORS_SHOWN = 5;

/** One step: the distribution of its durations, its percentiles over time, and its failures. */
export function OneStep(props: ViewProps & { step: string; spread: AnswerOf<'percentiles'> | undefined }) {
  const { step, spread, address, zone } = props;
  const { key, options } = askedFor(props);
  const asked = `${step} ${key}`;
  const hundred = useAnswer(`spread of ${asked}`, () => ask('stepSpread', { ...options(), step }));
  const overTime = useAnswer(`over time ${asked}`, async () => {
    const stretches = await ask('stepOverTime', { ...options(), step, stretches: STRETCHES });
    // No warning for intervals without a call.
    return { stretches, coverage: { complete: true, warnings: [] } };
  });
  const errors = useAnswer(`errors of ${asked}`, () => ask('commonErrors', { ...options(), limit: ERRORS_READ }));
  const ofStep = errors.value?.data.filter((row) => row.step === step).slice(0, ERRORS_SHOWN) ?? [];
  return (
    <>
      <section class="card" aria-labelledby="one-step">
        <h2 id="one-step">{step}</h2>
        {spread === undefined ? null : <Findings findings={spread.findings} />}
        <h3>Of a hundred calls</h3>
        <Problem known={hundred} />
        {spread === undefined || hundred.value === undefined ? null : (
          <Distribution step={step} spread={hundred.value} percentiles={spread.data} />
        )}
        <h3>Over time</h3>
        <Answered known={overTime}>
          {({ stretches }) => <OverTime stretches={stretches} step={step} zone={zone} />}
        </Answered>
        <p>
          <a href={formatAddress({ ...address, view: 'conversations', step: undefined, order: 'longest' })}>
            The longest conversations of this window
          </a>
        </p>
      </section>
      <ByModel {...props} />
      {step === RESPONSE_ROW ? null : (
        <section class="card" aria-labelledby="step-errors">
          <h2 id="step-errors">How it fails</h2>
          <Problem known={errors} />
          <CommonErrors rows={ofStep} address={address} zone={zone} />
        </section>
      )}
    </>
  );
}

function OverTime(props: { stretches: readonly StepStretch[]; step: string; zone: string }) {
  const { stretches, step, zone } = props;
  const [first, last] = [stretches[0], stretches.at(-1)];
  const { times, failures } = useMemo(() => {
    const middles = stretches.map((each) => (unixMs(each.sinceUnixNano) + unixMs(each.untilUnixNano)) / 2000);
    const row = (valueOf: (stretch: StepStretch) => number | undefined) =>
      stretches.map((each) => valueOf(each) ?? null);
    return {
      times: [middles, row(({ p50Ms }) => p50Ms), row(({ p95Ms }) => p95Ms), row((each) => each.firstOutputP50Ms)],
      failures: [middles, stretches.map((each) => each.failures)],
    } satisfies Record<string, uPlot.AlignedData>;
  }, [stretches]);
  if (first === undefined || last === undefined) return null;
  const ends = { sinceSeconds: unixMs(first.sinceUnixNano) / 1000, untilSeconds: unixMs(last.untilUnixNano) / 1000 };
  const hasFirstOutput = stretches.some(({ firstOutputP50Ms }) => firstOutputP50Ms !== undefined);
  const failed = stretches.reduce((sum, each) => sum + each.failures, 0);
  return (
    <>
      <TimeChart
        label={`P50 and P95 of ${step} over time`}
        zone={zone}
        heightPx={200}
        data={times}
        series={TIME_SERIES}
        {...ends}
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
        {hasFirstOutput ? (
          <li>
            <i class="swatch key-first-output" />
            First output, P50 (dotted)
          </li>
        ) : null}
      </ul>
      {failed === 0 ? null : (
        <>
          <h3>Failures over time</h3>
          <TimeChart
            label={`${countText(failed)} failures of ${step} over time`}
            zone={zone}
            heightPx={120}
            data={failures}
            series={FAILURE_SERIES}
            isCount
            {...ends}
          />
        </>
      )}
    </>
  );
}

const POINTS: Pick<uPlot.Series, 'width' | 'points' | 'spanGaps'> = {
  width: 2,
  points: { show: true, size: 5 },
  spanGaps: true,
};
const TIME_SERIES: uPlot.Series[] = [
  { ...POINTS, stroke: () => themeColour('--accent') },
  { ...POINTS, stroke: () => themeColour('--warn'), dash: [6, 4] },
  { ...POINTS, stroke: () => themeColour('--tts'), dash: [2, 3] },
];
const FAILURE_SERIES: uPlot.Series[] = [
  { fill: () => themeColour('--bad'), paths: uPlot.paths.bars!({ size: [0.7, 40] }), points: { show: false } },
];

/** The group of calls without a model. */
const NO_MODEL = '(none)';

interface ModelRow extends StepAverageRow {
  spread: StepPercentiles['percentiles'];
  failures: StepErrorRow | undefined;
}

/** The numbers of the step for each model; nothing if its calls have no model. */
function ByModel(props: ViewProps & { step: string }) {
  const { step } = props;
  const { key, everyMs, options } = askedFor(props);
  const known = useAnswer(
    `by model ${step} ${key}`,
    async () => {
      const asked = { ...options(), by: 'model' };
      const [averages, errors, spread] = await Promise.all([
        ask('averages', asked),
        ask('errors', asked),
        ask('percentiles', { ...asked, step }),
      ]);
      return averages.data
        .filter((row) => row.step === step)
        .map((row): ModelRow => ({
          ...row,
          spread: spread.data.groups?.find(({ group }) => group === row.group)?.percentiles ?? {},
          failures: errors.data.find((each) => each.step === step && each.group === row.group),
        }));
    },
    everyMs,
  );
  const rows = known.value ?? [];
  if (known.error !== undefined) return <Problem known={known} />;
  if (!rows.some(({ group }) => group !== NO_MODEL)) return null;
  const longestMs = Math.max(...rows.map(({ averageMs = 0 }) => averageMs), 1);
  return (
    <section aria-labelledby="by-model">
      <h2 id="by-model">By model</h2>
      <Table
        label={`Numbers of ${step} by model`}
        columns={[
          { name: 'Model', cell: ({ group }) => (group === NO_MODEL ? <span class="soft">not said</span> : group) },
          { name: 'Calls', isNumber: true, cell: ({ count }) => countText(count) },
          {
            name: 'Average',
            cell: ({ averageMs }) => (
              <CellBar value={averageMs} scale={longestMs} words={durationCell(averageMs)} look={lookOf(step)} />
            ),
          },
          { name: 'P50', isNumber: true, cell: ({ spread }) => durationCell(spread.p50) },
          { name: 'P95', isNumber: true, cell: ({ spread }) => durationCell(spread.p95) },
          { name: 'First output (P50)', isNumber: true, cell: ({ firstOutput }) => durationCell(firstOutput?.p50Ms) },
          FAILED_COLUMN,
        ]}
        rows={rows}
        keyOf={({ group = '' }) => group}
      />
    </section>
  );
}

/** Failures that were not followed by a successful retry, with their percentage of the calls. */
export const FAILED_COLUMN: Column<{ failures: StepErrorRow | undefined }> = {
  name: 'Failed',
  isNumber: true,
  cell: ({ failures }) =>
    failures === undefined || failuresOf(failures) === 0
      ? '0'
      : `✕ ${countText(failuresOf(failures))} (${percentWords(errorRatePct(failures))})`,
  look: ({ failures }) => (failures === undefined || failuresOf(failures) === 0 ? '' : 'bad-words'),
};

/** The response latency is not a step, so it has no colour of its own. */
export function lookOf(step: string): string {
  return step === RESPONSE_ROW ? 'look-session' : stepLook(step);
}
