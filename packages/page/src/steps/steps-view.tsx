import type { StepAverageRow } from '@convotel/query/answers';
import { formatAddress } from '../address.ts';
import { ask } from '../asking/ask.ts';
import type { AnswerOf } from '../asking/answers.ts';
import { longestWait, RESPONSE_ROW } from '../asking/rows.ts';
import { askedFor, useAnswer } from '../asking/use-answer.ts';
import { Findings, stepLook } from '../drawing/marks.tsx';
import { CellBar, durationCell, Table } from '../drawing/table.tsx';
import type { Column } from '../drawing/table.tsx';
import { Answered, Problem } from '../frame/view.tsx';
import type { ViewProps } from '../frame/view.tsx';
import { countText, durationWords } from '../words.ts';
import { FAILED_COLUMN, lookOf, OneStep } from './one-step.tsx';

/** A table of all steps, and one of them in detail. */
export function StepsView(props: ViewProps) {
  const { address } = props;
  const { key, everyMs, options } = askedFor(props);
  const known = useAnswer(
    `steps ${key}`,
    async () => {
      const asked = options();
      const [averages, errors] = await Promise.all([ask('averages', asked), ask('errors', asked)]);
      const spreads = await Promise.all(averages.data.map(({ step }) => ask('percentiles', { ...asked, step })));
      return { averages, errors, spreads, coverage: averages.coverage };
    },
    everyMs,
  );
  return (
    <section class="steps">
      <div class="view-head">
        <h1>Steps</h1>
        <p class="soft">
          Completed calls of less than a minute; the last column counts failures that no retry made up for.
        </p>
      </div>
      <Answered known={known}>
        {({ averages, errors, spreads }) => {
          const first = averages.data[0];
          if (first === undefined) return <p class="nothing">No step in this window. Choose a longer one.</p>;
          const isChosen = ({ step }: { step: string }): boolean => step === chosen;
          const chosen = (
            averages.data.find(({ step }) => step === address.step) ??
            longestWait(averages.data) ??
            first
          ).step;
          const rows = averages.data.map((row, index): Row => {
            const failures = errors.data.find(({ step }) => step === row.step);
            return { ...row, spread: spreads[index], failures };
          });
          return (
            <>
              <Table
                label="Numbers of each step"
                columns={columnsFor(rows, (step) => ({
                  href: formatAddress({ ...address, step }),
                  isChosen: step === chosen,
                }))}
                rows={rows}
                keyOf={({ step }) => step}
                look={(row) => (isChosen(row) ? 'chosen' : '')}
              />
              <div class="two-columns">
                <div class="wide-column">
                  <OneStep key={chosen} {...props} step={chosen} spread={rows.find(isChosen)?.spread} />
                </div>
                <section class="panel" aria-labelledby="steps-words">
                  <h2 id="steps-words">In words</h2>
                  <Problem known={known} />
                  <Findings findings={[...averages.findings, ...errors.findings]} />
                </section>
              </div>
            </>
          );
        }}
      </Answered>
    </section>
  );
}

interface Row extends StepAverageRow {
  spread: AnswerOf<'percentiles'> | undefined;
  failures: AnswerOf<'errors'>['data'][number] | undefined;
}

function columnsFor(
  rows: readonly Row[],
  linkTo: (step: string) => { href: string; isChosen: boolean },
): Column<Row>[] {
  const longestMs = Math.max(...rows.map(({ averageMs = 0 }) => averageMs), 1);
  const number = (name: string, valueOf: (row: Row) => number | undefined): Column<Row> => ({
    name,
    isNumber: true,
    cell: (row) => durationCell(valueOf(row)),
  });
  return [
    {
      name: 'Step',
      cell: ({ step }) => {
        const { href, isChosen } = linkTo(step);
        return (
          <a href={href} aria-current={isChosen ? 'true' : undefined}>
            {step === RESPONSE_ROW ? null : <i class={`swatch ${stepLook(step)}`} />}
            {step}
          </a>
        );
      },
    },
    { name: 'Calls', isNumber: true, cell: ({ count }) => countText(count) },
    {
      name: 'Average',
      cell: ({ step, averageMs }) => (
        <CellBar value={averageMs} scale={longestMs} words={durationCell(averageMs)} look={lookOf(step)} />
      ),
    },
    number('P50', ({ spread }) => spread?.data.percentiles.p50),
    number('P95', ({ spread }) => spread?.data.percentiles.p95),
    number('First output (P50)', ({ firstOutput }) => firstOutput?.p50Ms),
    number('First output (P95)', ({ firstOutput }) => firstOutput?.p95Ms),
    {
      name: 'Shortest to longest',
      isNumber: true,
      cell: ({ minMs, maxMs }) =>
        minMs === undefined || maxMs === undefined ? '–' : `${durationWords(minMs)} to ${durationWords(maxMs)}`,
    },
    FAILED_COLUMN,
  ];
}
