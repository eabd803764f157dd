import { formatAddress, unixMs, windowBefore, windowOf } from '../address.ts';
import { ask } from '../asking/ask.ts';
import { askedFor, useAnswer } from '../asking/use-answer.ts';
import { CommonErrors, Findings } from '../drawing/marks.tsx';
import { Answered, Problem } from '../frame/view.tsx';
import type { ViewProps } from '../frame/view.tsx';
import {
  countWords,
  shortTimeWords,
  axisWords,
  changeWords,
  countText,
  durationWords,
  percentWords,
} from '../words.ts';
import { ConversationDots } from './conversation-dots.tsx';
import { Slowest, WhereTimeGoes } from './where-time-goes.tsx';
import type { AnswerOf } from '../asking/answers.ts';
import { errorRatePct, failuresOf } from '../asking/rows.ts';

/**
 * The current state: the key figures compared with the previous window, where the time goes, and what failed.
 */
export function NowView(props: ViewProps) {
  const { address, zone, about } = props;
  const { key, everyMs, options: asked } = askedFor(props);
  const targetMs = about?.settings?.targetMs;

  const steps = useAnswer(`steps ${key}`, () => ask('averages', asked()), everyMs);
  const failing = useAnswer(`errors ${key}`, () => ask('errors', asked()), everyMs);
  const common = useAnswer(`common ${key}`, () => ask('commonErrors', { ...asked(), limit: 5 }), everyMs);
  const slowest = useAnswer(`longest ${key}`, () => ask('longest', { ...asked(), limit: 5 }), everyMs);
  const change = useAnswer(
    `change ${key}`,
    () => {
      const { window, ...rest } = asked();
      return ask('compare', { ...rest, before: windowBefore(window), after: window });
    },
    everyMs,
  );

  const waits = useAnswer(
    `waits ${targetMs} ${key}`,
    async () => {
      const { window, ...rest } = asked();
      const ofWindow = async (each: typeof window): Promise<Waits> => {
        const [satisfied, response] = await Promise.all([
          ask('satisfaction', { ...rest, window: each, targetMs }),
          ask('responseLatency', { ...rest, window: each }),
        ]);
        return { satisfied: satisfied.data, response };
      };
      const [now, before] = await Promise.all([ofWindow(window), ofWindow(windowBefore(window))]);
      return { now, before };
    },
    everyMs,
  );

  const window = windowOf(address, Date.now());
  const isSilent = steps.value?.coverage.conversations === 0;
  return (
    <section class="now">
      <div class="view-head">
        <h1>Now</h1>
        <p class="soft">
          {shortTimeWords(unixMs(window.sinceUnixNano), zone)} to {shortTimeWords(unixMs(window.untilUnixNano), zone)}
          {steps.value === undefined ? '' : `, ${countWords(steps.value.coverage.conversations, 'conversation')}`}
        </p>
      </div>
      <Problem known={waits} />
      {isSilent ? (
        <p class="nothing">
          No conversation in this window. The newest ones are in{' '}
          <a href={formatAddress({ ...address, view: 'conversations', since: '30d', until: undefined })}>
            the last 30 days
          </a>
          .
        </p>
      ) : (
        <>
          <Answered known={change}>
            {(report) => <Figures report={report} errors={failing.value} waits={waits.value} />}
          </Answered>
          <div class="cards">
            <section class="card" aria-labelledby="where">
              <h2 id="where">Where the time goes</h2>
              <Answered known={steps}>
                {(report) => (
                  <>
                    <WhereTimeGoes report={report} address={address} />
                    <Findings findings={report.findings} />
                  </>
                )}
              </Answered>
            </section>
            <section class="card" aria-labelledby="slowest">
              <h2 id="slowest">The slowest conversations</h2>
              <Answered known={slowest}>
                {(report) => <Slowest rows={report.data} address={address} zone={zone} />}
              </Answered>
            </section>
            <section class="card whole" aria-labelledby="over-time">
              <h2 id="over-time">Conversations over time</h2>
              <ConversationDots address={address} zone={zone} everyMs={everyMs} />
            </section>
            <section class="card" aria-labelledby="failing">
              <h2 id="failing">What fails</h2>
              <Answered known={common}>
                {({ data }) => <CommonErrors rows={data} address={address} zone={zone} />}
              </Answered>
            </section>
            <section class="card" aria-labelledby="words">
              <h2 id="words">In words</h2>
              <Problem known={failing} />
              <Findings findings={[...(failing.value?.findings ?? []), ...(change.value?.findings ?? [])]} />
            </section>
          </div>
        </>
      )}
    </section>
  );
}

/** How long users waited in one window. */
export interface Waits {
  satisfied: AnswerOf<'satisfaction'>['data'];
  response: AnswerOf<'responseLatency'>;
}

type Comparison = AnswerOf<'compare'>;

/** The key figures of conversations, each with its value in the previous window. */
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
      <Figure
        name="conversations"
        now={waits === undefined ? undefined : countText(conversationsOf(waits.now))}
        before={waits === undefined ? undefined : countText(conversationsOf(waits.before))}
        note={`${countText(after.count)} completed`}
      />
      <Figure name="half are under (P50)" now={milliseconds(after.p50Ms)} before={milliseconds(before.p50Ms)} />
      <Figure name="95 % are under (P95)" now={milliseconds(after.p95Ms)} before={milliseconds(before.p95Ms)} />
      {waits === undefined || waits.now.response.conversations === 0 ? null : (
        <Figure
          name="first output within (P50)"
          now={milliseconds(waits.now.response.p50Ms)}
          before={milliseconds(waits.before.response.p50Ms)}
        />
      )}
      {waits?.now.response.p95Ms === undefined ? null : (
        <Figure
          name="first output within (P95)"
          now={milliseconds(waits.now.response.p95Ms)}
          before={milliseconds(waits.before.response.p95Ms)}
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

/** Number of conversations that started in the window, including open ones. */
function conversationsOf({ satisfied }: Waits): number {
  return satisfied.conversations + satisfied.open;
}
