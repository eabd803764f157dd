import { formatAddress, isMoving, unixMs, windowBefore, windowOf } from '../address/address.ts';
import { ask } from '../asking/ask.ts';
import { useAnswer } from '../asking/use-answer.ts';
import { Findings } from '../drawing/findings.tsx';
import { Answered, Problem } from '../frame/answered.tsx';
import type { ViewProps } from '../frame/view-props.ts';
import { countWords, shortTimeWords } from '../words/words.ts';
import { Figures } from './figures.tsx';
import type { Waits } from './figures.tsx';
import { ConversationDots } from './conversation-dots.tsx';
import { Slowest } from './slowest.tsx';
import { WhereTimeGoes } from './where-time-goes.tsx';

const EVERY_MS = 10_000;

/** How it is now: the figures of the window against the time before, where the time goes, and what went wrong. */
export function NowView(props: ViewProps) {
  const { address, zone } = props;
  const { filters } = address;
  const everyMs = isMoving(address) ? EVERY_MS : undefined;
  const key = JSON.stringify([address.since, address.until, filters, zone]);
  const asked = () => ({ timeZone: zone, filters, window: windowOf(address, Date.now()) });

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
    `waits ${key}`,
    async () => {
      const { window, ...rest } = asked();
      const ofWindow = async (each: typeof window): Promise<Waits> => {
        const [satisfied, response] = await Promise.all([
          ask('satisfaction', { ...rest, window: each }),
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
                {({ data }) =>
                  data.length === 0 ? (
                    <p class="soft">Nothing failed.</p>
                  ) : (
                    <ol class="common-errors">
                      {data.map((row) => (
                        <li key={`${row.step} ${row.errorType} ${row.lastSeen}`}>
                          <a
                            href={formatAddress({
                              ...address,
                              view: 'conversations',
                              conversationId: row.conversationId,
                            })}
                          >
                            <strong>{countWords(row.count, 'time')}</strong> <span class="chip">{row.step}</span>
                            <span class="message">{row.pattern ?? row.message ?? row.errorType ?? 'no message'}</span>
                          </a>
                          <span class="soft">last {shortTimeWords(Date.parse(row.lastSeen), zone)}</span>
                        </li>
                      ))}
                    </ol>
                  )
                }
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
