import type { ConversationRow, Finding } from '@convotel/query/answers';
import { formatAddress } from '../address.ts';
import type { Address } from '../address.ts';
import type { AnswerOf } from '../asking/answers.ts';
import { ask } from '../asking/ask.ts';
import { longestWait, RESPONSE_ROW, shownConversation } from '../asking/rows.ts';
import type { ShownConversation } from '../asking/rows.ts';
import { useAnswer } from '../asking/use-answer.ts';
import { OutcomeBadge, stepLook } from '../drawing/marks.tsx';
import { durationWords, shortTimeWords } from '../words.ts';

/**
 * The averages of the steps as bars, in step order, below a sentence about the step with the most total waiting time.
 */
export function WhereTimeGoes({ report, address }: { report: AnswerOf<'averages'>; address: Address }) {
  const longest = longestWait(report.data);
  if (longest?.averageMs === undefined) return <p class="soft">No step has completed in this window.</p>;
  const rows = report.data.flatMap(({ step, averageMs, minMs, maxMs }) =>
    averageMs === undefined || step === RESPONSE_ROW
      ? []
      : [{ step, averageMs, minMs: minMs ?? averageMs, maxMs: maxMs ?? averageMs }],
  );
  const scaleMs = Math.max(...rows.map(({ averageMs }) => averageMs)) || 1;
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

/** The longest conversations, each with the reason why it took so long. */
export function Slowest(props: { rows: readonly ConversationRow[]; address: Address; zone: string }) {
  const { rows, address, zone } = props;
  if (rows.length === 0) return <p class="soft">No conversation in this window.</p>;
  return (
    <ol class="slowest">
      {rows.map(shownConversation).map((row) => (
        <li key={row.traceId}>
          <a href={formatAddress({ ...address, view: 'conversations', conversationId: row.id, step: undefined })}>
            <strong class="length">{durationWords(row.durationMs)}</strong>
            <span class="id">{row.id}</span>
            <OutcomeBadge outcome={row.outcome} />
          </a>
          <Reason row={row} zone={zone} />
        </li>
      ))}
    </ol>
  );
}

function Reason({ row, zone }: { row: ShownConversation; zone: string }) {
  const known = useAnswer(`reason ${row.traceId} ${row.durationMs} ${row.outcome}`, () =>
    ask('explain', { conversationId: row.id, timeZone: zone }),
  );
  const reason = known.value === undefined ? undefined : reasonOf(known.value.findings);
  return (
    <span class="soft">
      {shortTimeWords(row.startUnixMs, zone)}
      {reason === undefined ? '' : ` · ${reason}`}
    </span>
  );
}

/** The findings of `explain` about where the time of one conversation went, the most important first. */
const REASONS = ['unusual-step', 'retried-steps', 'gaps', 'where-time-went'];

function reasonOf(findings: readonly Finding[]): string | undefined {
  return REASONS.flatMap((rule) => findings.filter((each) => each.rule === rule && each.severity !== 'good'))[0]?.text;
}
