import { timeText, unixMs, windowOf } from '../address/address.ts';
import type { Address } from '../address/address.ts';
import { replaceAddress } from '../address/use-address.ts';
import { ask } from '../asking/ask.ts';
import { useAnswer } from '../asking/use-answer.ts';
import { Findings } from '../drawing/findings.tsx';
import { Answered } from '../frame/answered.tsx';
import { TimeInput } from '../frame/header.tsx';
import type { ViewProps } from '../frame/view-props.ts';
import { countWords, shortTimeWords } from '../words/words.ts';
import { ComparisonTable } from './comparison-table.tsx';
import { SplitChart } from './split-chart.tsx';

/** Two stretches of time against each other, parted where the user says, else in the middle of the window. */
export function CompareView({ address, zone }: ViewProps) {
  const { filters } = address;
  const window = windowOf(address, Date.now());
  const [sinceMs, untilMs] = [unixMs(window.sinceUnixNano), unixMs(window.untilUnixNano)];
  const splitMs = splitOf(address, sinceMs, untilMs);
  const known = useAnswer(
    `compare ${JSON.stringify([address.since, address.until, address.split, filters, zone])}`,
    () => {
      const split = BigInt(Math.round(splitMs)) * 1_000_000n;
      return ask('compare', {
        before: { ...window, untilUnixNano: split },
        after: { ...window, sinceUnixNano: split },
        filters,
        timeZone: zone,
      });
    },
  );
  const splitAt = (atMs: number): void => {
    if (atMs > sinceMs && atMs < untilMs) replaceAddress({ ...address, split: timeText(atMs) });
  };
  return (
    <section class="compare">
      <div class="view-head">
        <h1>Compare</h1>
        <p class="soft">
          Before: {shortTimeWords(sinceMs, zone)} to {shortTimeWords(splitMs, zone)}. After:{' '}
          {shortTimeWords(splitMs, zone)} to {shortTimeWords(untilMs, zone)}.
        </p>
      </div>
      <div class="card">
        <SplitChart address={address} zone={zone} window={window} splitMs={splitMs} onSplit={splitAt} />
        <p class="chart-caption soft">
          Click where the change happened, or give the time:{' '}
          <TimeInput label="Split at" at={timeText(splitMs)} zone={zone} onTime={(time) => splitAt(Date.parse(time))} />
        </p>
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

function splitOf({ split }: Address, sinceMs: number, untilMs: number): number {
  const asked = split === undefined ? Number.NaN : Date.parse(split);
  return asked > sinceMs && asked < untilMs ? asked : (sinceMs + untilMs) / 2;
}
