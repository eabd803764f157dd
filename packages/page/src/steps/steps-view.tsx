import { formatAddress, isMoving, windowOf } from '../address/address.ts';
import { ask } from '../asking/ask.ts';
import { errorRatePct, failuresOf, RESPONSE_ROW } from '../asking/rows.ts';
import { useAnswer } from '../asking/use-answer.ts';
import { Findings } from '../drawing/findings.tsx';
import { isWaitedFor, stepLook } from '../drawing/step-look.ts';
import { Answered, Problem } from '../frame/answered.tsx';
import type { ViewProps } from '../frame/view-props.ts';
import { countText, durationWords, percentWords } from '../words/words.ts';
import { OneStep } from './one-step.tsx';

const EVERY_MS = 10_000;

/** Every step in numbers, and one of them over time. */
export function StepsView({ address, zone }: ViewProps) {
  const { filters } = address;
  const everyMs = isMoving(address) ? EVERY_MS : undefined;
  const key = JSON.stringify([address.since, address.until, filters, zone]);
  const asked = () => ({ timeZone: zone, filters, window: windowOf(address, Date.now()) });
  const known = useAnswer(
    `steps ${key}`,
    async () => {
      const options = asked();
      const [averages, errors] = await Promise.all([ask('averages', options), ask('errors', options)]);
      const spreads = await Promise.all(averages.data.map(({ step }) => ask('percentiles', { ...options, step })));
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
          if (averages.data.length === 0) return <p class="nothing">No step in this window. Choose a longer one.</p>;
          const byLength = averages.data.toSorted((a, b) => (b.averageMs ?? 0) - (a.averageMs ?? 0));
          const longest = (byLength.find(({ step }) => step !== RESPONSE_ROW && isWaitedFor(step)) ?? byLength[0]!)
            .step;
          const chosen = averages.data.find(({ step }) => step === address.step)?.step ?? longest;
          const longestMs = Math.max(...averages.data.map(({ averageMs = 0 }) => averageMs), 1);
          return (
            <>
              <div class="table-box" tabIndex={0} role="region" aria-label="Numbers of each step">
                <table>
                  <thead>
                    <tr>
                      <th scope="col">Step</th>
                      <th scope="col" class="number">
                        Calls
                      </th>
                      <th scope="col">Average</th>
                      <th scope="col" class="number">
                        P50
                      </th>
                      <th scope="col" class="number">
                        P95
                      </th>
                      <th scope="col" class="number">
                        First output (P50)
                      </th>
                      <th scope="col" class="number">
                        Shortest
                      </th>
                      <th scope="col" class="number">
                        Longest
                      </th>
                      <th scope="col" class="number">
                        Failed
                      </th>
                    </tr>
                  </thead>
                  <tbody>
                    {averages.data.map(({ step, count, averageMs, minMs, maxMs, firstOutput }, index) => {
                      const { p50, p95 } = spreads[index]?.data.percentiles ?? {};
                      const failed = errors.data.find((row) => row.step === step);
                      const words = (ms: number | undefined): string => (ms === undefined ? '–' : durationWords(ms));
                      return (
                        <tr key={step} class={step === chosen ? 'chosen' : ''}>
                          <th scope="row">
                            <a
                              href={formatAddress({ ...address, step })}
                              aria-current={step === chosen ? 'true' : undefined}
                            >
                              {step === RESPONSE_ROW ? null : <i class={`swatch ${stepLook(step)}`} />}
                              {step}
                            </a>
                          </th>
                          <td class="number">{countText(count)}</td>
                          <td>
                            <span class="cell-bar">
                              <span class="bar-track">
                                <i
                                  class={stepLook(step)}
                                  style={{ width: `${((averageMs ?? 0) / longestMs) * 100}%` }}
                                />
                              </span>
                              {words(averageMs)}
                            </span>
                          </td>
                          <td class="number">{words(p50)}</td>
                          <td class="number">{words(p95)}</td>
                          <td class="number">{words(firstOutput?.p50Ms)}</td>
                          <td class="number">{words(minMs)}</td>
                          <td class="number">{words(maxMs)}</td>
                          <td class="number">
                            {failed === undefined || failuresOf(failed) === 0 ? (
                              '0'
                            ) : (
                              <span class="bad-words">
                                {countText(failuresOf(failed))} ({percentWords(errorRatePct(failed))})
                              </span>
                            )}
                          </td>
                        </tr>
                      );
                    })}
                  </tbody>
                </table>
              </div>
              <div class="two-columns">
                <div class="wide-column">
                  <OneStep
                    key={chosen}
                    step={chosen}
                    spread={spreads[averages.data.findIndex(({ step }) => step === chosen)]}
                    address={address}
                    zone={zone}
                  />
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
