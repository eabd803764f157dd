import type { ConversationRow } from '@convotel/query/answers';
import { formatAddress } from '../address/address.ts';
import type { Address } from '../address/address.ts';
import { ask } from '../asking/ask.ts';
import { shownConversation } from '../asking/rows.ts';
import type { ShownConversation } from '../asking/rows.ts';
import { useAnswer } from '../asking/use-answer.ts';
import { OutcomeBadge } from '../drawing/outcome-badge.tsx';
import { durationWords, shortTimeWords } from '../words/words.ts';

/** The findings that say where the time of one conversation went. */
const REASONS = new Set(['bottleneck-step', 'unsuccessful-step', 'unattributed-time', 'slow-step']);

/** The longest conversations, each with the reason. */
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
    ask('summary', { conversationId: row.id, timeZone: zone }),
  );
  const reasons = known.value?.findings.filter(({ rule }) => REASONS.has(rule)) ?? [];
  return (
    <span class="soft">
      {shortTimeWords(row.startUnixMs, zone)}
      {reasons[0] === undefined ? '' : ` · ${reasons[0].text}`}
    </span>
  );
}
