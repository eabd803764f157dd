import { formatAddress } from '../address/address.ts';
import type { Address } from '../address/address.ts';
import { ask } from '../asking/ask.ts';
import { shownConversation } from '../asking/rows.ts';
import type { ShownConversation } from '../asking/rows.ts';
import { useAnswer } from '../asking/use-answer.ts';
import { Problem } from '../frame/answered.tsx';
import { durationWords, isFailed, outcomeWords, shortTimeWords } from '../words/words.ts';

const AROUND_NANO = 12n * 3_600_000_000_000n;
const NANO_PER_MS = 1_000_000n;
/** How many are shown on either side. */
const SHOWN_EACH_SIDE = 12;

/** The exchanges of its session, else the conversations before and after this one, as columns of their durations. */
export function Neighbours(props: { conversation: ShownConversation; zone: string; address: Address }) {
  const { conversation, zone, address } = props;
  const at = BigInt(Math.floor(conversation.startUnixMs)) * NANO_PER_MS;
  const sinceUnixNano = at > AROUND_NANO ? at - AROUND_NANO : 0n;
  const { sessionId } = conversation;
  const filters = sessionId === undefined ? address.filters : { session: sessionId };
  const known = useAnswer(`neighbours ${conversation.traceId} ${JSON.stringify(filters)}`, async () => {
    const asked = { timeZone: zone, filters, limit: 10_000 } as const;
    return ask('recent', { ...asked, window: { sinceUnixNano, untilUnixNano: at + AROUND_NANO } });
  });
  const rows = (known.value?.data ?? []).map(shownConversation).toReversed();
  const place = rows.findIndex(({ traceId }) => traceId === conversation.traceId);
  const shown = rows.slice(Math.max(place - SHOWN_EACH_SIDE, 0), place + SHOWN_EACH_SIDE + 1);
  if (known.error !== undefined) return <Problem known={known} />;
  if (place === -1 || shown.length < 2) return null;
  const longestMs = Math.max(...shown.map(({ durationMs }) => durationMs));
  return (
    <section aria-labelledby="neighbours">
      <h2 id="neighbours">{sessionId === undefined ? 'Before and after it' : `In session ${sessionId}`}</h2>
      <ol class="neighbours">
        {shown.map((each) => (
          <li key={each.traceId}>
            <a
              href={formatAddress({ ...address, conversationId: each.id, step: undefined })}
              aria-current={each.traceId === conversation.traceId ? 'true' : undefined}
              class={isFailed(each.outcome) ? 'bad' : ''}
              title={`${shortTimeWords(each.startUnixMs, zone)}, ${durationWords(each.durationMs)}, ${outcomeWords(each.outcome)}`}
            >
              <i style={{ height: `${Math.max((each.durationMs / longestMs) * 100, 3)}%` }} />
              <span class="unseen">
                {each.id}, {durationWords(each.durationMs)}, {outcomeWords(each.outcome)}
              </span>
            </a>
          </li>
        ))}
      </ol>
      <p class="soft">
        Durations from {shortTimeWords(shown[0]!.startUnixMs, zone)} to{' '}
        {shortTimeWords(shown.at(-1)!.startUnixMs, zone)}; striped ones failed.
      </p>
    </section>
  );
}
