import type { ConversationFilters } from '@convotel/query/answers';
import { formatAddress } from '../address.ts';
import type { Address } from '../address.ts';
import { ask } from '../asking/ask.ts';
import { shownConversation } from '../asking/rows.ts';
import type { ShownConversation, ShownDetail } from '../asking/rows.ts';
import { useAnswer } from '../asking/use-answer.ts';
import { ConversationColumns } from '../drawing/bars.tsx';
import { Problem, CopyButton } from '../frame/view.tsx';
import type { AnswerOf } from '../asking/answers.ts';
import type { About } from '../asking/ask.ts';

const NANO_PER_MS = 1_000_000n;
const NANO_PER_MINUTE = 60_000n * NANO_PER_MS;
/** Neighbours are searched up to this long before and after the conversation. */
const AROUND_MINUTES = 720n;
/** Maximum number of neighbours on either side. */
const SHOWN_EACH_SIDE = 12;

/** The conversations of the same session, else those before and after this one, as a column chart. */
export function Neighbours(props: { conversation: ShownConversation; zone: string; address: Address }) {
  const { conversation, zone, address } = props;
  const { sessionId, traceId } = conversation;
  const filters = sessionId === undefined ? address.filters : { session: sessionId };
  const known = useAnswer(`neighbours ${traceId} ${JSON.stringify(filters)}`, () =>
    neighboursOf(conversation, filters, zone),
  );
  if (known.error !== undefined) return <Problem known={known} />;
  const rows = known.value ?? [];
  const place = rows.findIndex((row) => row.traceId === traceId);
  if (place === -1 || rows.length < 2) return null;
  const linkTo = (row: ShownConversation): string =>
    formatAddress({ ...address, conversationId: row.id, step: undefined });
  const [before, after] = [rows[place - 1], rows[place + 1]];
  return (
    <section aria-labelledby="neighbours">
      <h2 id="neighbours">
        {sessionId === undefined ? (
          'Before and after it'
        ) : (
          <>
            In session <a href={sessionLink(address, sessionId)}>{sessionId}</a>
          </>
        )}
      </h2>
      <ConversationColumns rows={rows} linkTo={linkTo} current={traceId} zone={zone} />
      <p class="buttons">
        {before === undefined ? null : (
          <a class="button" href={linkTo(before)} rel="prev">
            <span aria-hidden="true">←</span>&nbsp;The one before
          </a>
        )}
        {after === undefined ? null : (
          <a class="button" href={linkTo(after)} rel="next">
            The one after&nbsp;<span aria-hidden="true">→</span>
          </a>
        )}
      </p>
    </section>
  );
}

/** The link to the session of a conversation. */
export function sessionLink(address: Address, sessionId: string): string {
  return formatAddress({ ...address, view: 'sessions', conversationId: undefined, step: undefined, sessionId });
}

/** `conversation` and its neighbours, by start. */
async function neighboursOf(
  conversation: ShownConversation,
  filters: ConversationFilters,
  timeZone: string,
): Promise<ShownConversation[]> {
  const at = BigInt(Math.floor(conversation.startUnixMs)) * NANO_PER_MS;
  const recent = async (sinceUnixNano: bigint, untilUnixNano: bigint, limit: number): Promise<ShownConversation[]> => {
    const window = { sinceUnixNano: sinceUnixNano < 0n ? 0n : sinceUnixNano, untilUnixNano };
    return (await ask('recent', { timeZone, filters, window, limit })).data.map(shownConversation).toReversed();
  };
  const untilItself = at + NANO_PER_MS;
  const before = recent(at - AROUND_MINUTES * NANO_PER_MINUTE, untilItself, SHOWN_EACH_SIDE + 1);
  // Answers are newest first, so the conversations just after it are found by increasing the window until it contains
  // enough.
  let after: ShownConversation[] = [];
  for (let minutes = 5n; after.length < SHOWN_EACH_SIDE; minutes *= 12n) {
    after = await recent(untilItself, at + minutes * NANO_PER_MINUTE, 10_000);
    if (minutes >= AROUND_MINUTES) break;
  }
  return [...(await before), ...after.slice(0, SHOWN_EACH_SIDE)];
}

/** Copies the conversation as a link, as JSON, as a command, or as a link to the tracing system that it comes from. */
export function CopyAs(props: { detail: ShownDetail; report: AnswerOf<'trace'>; about: About | undefined }) {
  const { detail, report, about } = props;
  const command = commandFor(detail.id, about);
  return (
    <section class="elsewhere" aria-labelledby="elsewhere">
      <h2 id="elsewhere">Elsewhere</h2>
      <code class="command">{command}</code>
      <div class="buttons">
        <CopyButton label="Copy link" text={() => location.href} />
        <CopyButton label="Copy JSON" text={() => JSON.stringify(report, null, 2)} />
        <CopyButton label="Copy command" text={() => command} />
        {about?.source.kind === 'jaeger' ? (
          <a class="button" href={jaegerLink(about.source.location, detail.traceId)} rel="noreferrer" target="_blank">
            Open in Jaeger
          </a>
        ) : null}
      </div>
    </section>
  );
}

/** The command that prints the same conversation from the same source. */
function commandFor(id: string, about: About | undefined): string {
  const from = about === undefined || about.takesSpans ? location.origin : about.source.location;
  return `convotel trace ${shellWord(id)} --from ${shellWord(from)}`;
}

/** Quotes `text` for a POSIX shell. */
function shellWord(text: string): string {
  return /^[\w./:@%+=,-]+$/.test(text) && !text.startsWith('-') ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

function jaegerLink(location: string, traceId: string): string {
  return `${location.replace(/\/+$/, '')}/trace/${traceId}`;
}
