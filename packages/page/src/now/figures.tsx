import type { AnswerOf } from '../asking/answers.ts';
import { errorRatePct, failuresOf } from '../asking/rows.ts';
import { axisWords, changeWords, countText, durationWords, percentWords } from '../words/words.ts';

/** How users fared in one window. */
export interface Waits {
  satisfied: AnswerOf<'satisfaction'>['data'];
  response: AnswerOf<'responseLatency'>;
}

type Comparison = AnswerOf<'compare'>;

/** The figures of whole conversations, each with the same of the time before. */
export function Figures(props: {
  report: Comparison;
  errors: AnswerOf<'errors'> | undefined;
  waits: { now: Waits; before: Waits } | undefined;
}) {
  const { report, errors, waits } = props;
  const whole = report.data.at(-1);
  if (whole === undefined) return null;
  const { before, after, verdict, deltaMs } = whole;
  const milliseconds = (value: number | undefined): string | undefined =>
    value === undefined ? undefined : durationWords(value);
  const percent = (value: number | undefined): string | undefined =>
    value === undefined ? undefined : percentWords(value);
  const worst = errors?.data.toSorted((a, b) => errorRatePct(b) - errorRatePct(a))[0];
  return (
    <dl class="figures big">
      <Figure name="completed" now={countText(after.count)} before={countText(before.count)} />
      <Figure name="half are under (P50)" now={milliseconds(after.p50Ms)} before={milliseconds(before.p50Ms)} />
      <Figure name="95 % are under (P95)" now={milliseconds(after.p95Ms)} before={milliseconds(before.p95Ms)} />
      {waits === undefined || waits.now.response.conversations === 0 ? null : (
        <Figure
          name="first output within (P50)"
          now={milliseconds(waits.now.response.p50Ms)}
          before={milliseconds(waits.before.response.p50Ms)}
          note={waits.now.response.p95Ms === undefined ? undefined : `P95 ${durationWords(waits.now.response.p95Ms)}`}
        />
      )}
      <Figure
        name={waits === undefined ? 'in time' : `completed in under ${axisWords(waits.now.satisfied.targetMs)}`}
        now={percent(waits?.now.satisfied.satisfiedPct)}
        before={percent(waits?.before.satisfied.satisfiedPct)}
      />
      <Figure
        name="average"
        now={milliseconds(after.averageMs)}
        before={milliseconds(before.averageMs)}
        note={deltaMs === undefined || verdict === 'too few' ? undefined : `${changeWords(deltaMs)}, ${verdict}`}
        look={verdict === 'slower' ? 'bad-words' : verdict === 'faster' ? 'good-words' : 'soft'}
      />
      <Figure
        name="failed"
        now={percent(after.errorRatePct)}
        before={percent(before.errorRatePct)}
        note={worst === undefined || failuresOf(worst) === 0 ? undefined : `most often ${worst.step}`}
      />
    </dl>
  );
}

function Figure(props: {
  name: string;
  now: string | undefined;
  before: string | undefined;
  note?: string | undefined;
  look?: string;
}) {
  const { name, now, before, note, look = 'soft' } = props;
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        <span class="value">{now ?? '–'}</span>
        <span class="soft">{before === undefined ? 'nothing before' : `before: ${before}`}</span>
        {note === undefined ? null : <span class={look}>{note}</span>}
      </dd>
    </div>
  );
}
