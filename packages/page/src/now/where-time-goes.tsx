import { formatAddress } from '../address/address.ts';
import type { Address } from '../address/address.ts';
import { RESPONSE_ROW } from '../asking/rows.ts';
import type { AnswerOf } from '../asking/answers.ts';
import { isWaitedFor, stepLook } from '../drawing/step-look.ts';
import { durationWords } from '../words/words.ts';

/** The averages of the steps as bars, in step order; the longest of those that a person waits for is named first. */
export function WhereTimeGoes({ report, address }: { report: AnswerOf<'averages'>; address: Address }) {
  const rows = report.data.flatMap(({ step, averageMs, minMs, maxMs }) =>
    averageMs === undefined || step === RESPONSE_ROW
      ? []
      : [{ step, averageMs, minMs: minMs ?? averageMs, maxMs: maxMs ?? averageMs }],
  );
  const byLength = rows.toSorted((a, b) => b.averageMs - a.averageMs);
  const longest = byLength.find(({ step }) => isWaitedFor(step)) ?? byLength[0];
  const scaleMs = byLength[0]?.averageMs ?? 1;
  if (longest === undefined) return <p class="soft">No step has completed in this window.</p>;
  return (
    <>
      <p class="headline">
        Users wait longest for <strong>{longest.step}</strong>: {durationWords(longest.averageMs)} on average.
      </p>
      <ol class="step-bars">
        {rows.map(({ step, averageMs, minMs, maxMs }) => (
          <li key={step} class={step === longest.step ? 'longest' : ''}>
            <a href={formatAddress({ ...address, view: 'steps', step })}>
              <span class="step-name">{step}</span>
              <span class="bar-track">
                <i class={stepLook(step)} style={{ width: `${(averageMs / scaleMs) * 100}%` }} />
              </span>
              <span class="step-length">{durationWords(averageMs)}</span>
              <span class="soft range">
                {durationWords(minMs)} to {durationWords(maxMs)}
              </span>
            </a>
          </li>
        ))}
      </ol>
    </>
  );
}
