import type { SessionRow, SessionConversation, SessionDetail } from '@convotel/query/answers';
import { formatAddress } from '../address.ts';
import { ask } from '../asking/ask.ts';
import { askedFor, useAnswer } from '../asking/use-answer.ts';
import { CellBar, countCell, Table, durationCell } from '../drawing/table.tsx';
import type { Column } from '../drawing/table.tsx';
import { Answered } from '../frame/view.tsx';
import type { ViewProps } from '../frame/view.tsx';
import { countText, countWords, durationWords, shortTimeWords, isFailed, timeWords } from '../words.ts';
import { shownConversation } from '../asking/rows.ts';
import { ConversationColumns } from '../drawing/bars.tsx';
import { Findings, OutcomeBadge } from '../drawing/marks.tsx';

/** Maximum number of sessions that are listed. */
const MOST_SESSIONS = 200;

/** The sessions of the window, such as phone calls and chat threads. */
export function SessionsView(props: ViewProps) {
  const { address, zone } = props;
  const { key, everyMs, options } = askedFor(props);
  const known = useAnswer(`sessions ${key}`, () => ask('sessions', { ...options(), limit: MOST_SESSIONS }), everyMs);
  return (
    <section class="sessions">
      <div class="view-head">
        <h1>Sessions</h1>
        <p class="soft">A call, a chat thread, a robot's day: the conversations that belong together.</p>
      </div>
      <Answered known={known}>
        {({ data }) =>
          data.length === 0 ? (
            <p class="nothing">No session in this window. A program names them with the option `sessionId`.</p>
          ) : (
            <>
              <Table
                label="Sessions"
                columns={sessionColumns(data, (sessionId) => formatAddress({ ...address, sessionId }), zone)}
                rows={data}
                keyOf={({ sessionId }) => sessionId}
              />
              <p class="soft">
                {data.length === MOST_SESSIONS
                  ? `The newest ${countText(MOST_SESSIONS)} sessions; choose a shorter window for others.`
                  : `${countWords(data.length, 'session')}.`}{' '}
                The bar is from the first conversation to the last; the dark part is time in conversations, without the
                pauses between them.
              </p>
            </>
          )
        }
      </Answered>
    </section>
  );
}

function sessionColumns(
  rows: readonly SessionRow[],
  linkTo: (sessionId: string) => string,
  zone: string,
): Column<SessionRow>[] {
  const longestMs = Math.max(...rows.map(lengthMs), 1);
  const hasTokens = rows.some(
    ({ inputTokens, outputTokens }) => inputTokens !== undefined || outputTokens !== undefined,
  );
  return [
    {
      name: 'Session',
      cell: ({ sessionId }) => (
        <a class="id" href={linkTo(sessionId)}>
          {sessionId}
        </a>
      ),
    },
    { name: 'Began', cell: ({ startTime }) => shortTimeWords(Date.parse(startTime), zone) },
    { name: 'Conversations', isNumber: true, cell: ({ conversations }) => countText(conversations) },
    {
      name: 'Lasted',
      cell: (row) => (
        <CellBar
          value={lengthMs(row)}
          scale={longestMs}
          words={durationWords(lengthMs(row))}
          look="look-session"
          paleFrom={Math.min(row.spokenMs, lengthMs(row))}
        />
      ),
    },
    { name: 'In conversations', isNumber: true, cell: ({ spokenMs }) => durationWords(spokenMs) },
    {
      name: 'Failed',
      isNumber: true,
      cell: ({ failures }) => (failures === 0 ? '0' : `✕ ${countText(failures)}`),
      look: ({ failures }) => (failures === 0 ? '' : 'bad-words'),
    },
    { name: 'Interruptions', isNumber: true, cell: ({ interruptions }) => countText(interruptions) },
    ...(hasTokens
      ? ([
          { name: 'Input tokens', isNumber: true, cell: ({ inputTokens }) => countCell(inputTokens) },
          { name: 'Output tokens', isNumber: true, cell: ({ outputTokens }) => countCell(outputTokens) },
        ] satisfies Column<SessionRow>[])
      : []),
  ];
}

/** Wall-clock time from the start of the first conversation to the end of the last. */
function lengthMs({ startTime, endTime }: Pick<SessionRow, 'startTime' | 'endTime'>): number {
  return Date.parse(endTime) - Date.parse(startTime);
}

/** Refresh interval of a session, which may still continue. */
const EVERY_MS = 10_000;
/** Maximum number of conversations that are listed; the latest ones. */
const MOST_CONVERSATIONS = 500;

/** One session: its conversations by start, the pauses between them, and the errors. */
export function SessionView(props: ViewProps & { sessionId: string }) {
  const { address, zone, sessionId } = props;
  const known = useAnswer(
    `session ${sessionId} ${zone}`,
    () => ask('session', { sessionId, timeZone: zone }),
    EVERY_MS,
  );
  return (
    <article class="conversation session">
      <a class="back" href={formatAddress({ ...address, sessionId: undefined })}>
        <span aria-hidden="true">←</span> Sessions
      </a>
      <header class="conversation-head">
        <h1>
          <span class="id">{sessionId}</span>
        </h1>
        {known.value === undefined ? null : <Figures detail={known.value.data} zone={zone} />}
      </header>
      <Answered known={known}>
        {({ data, findings }) => {
          const rows = data.conversations.slice(-MOST_CONVERSATIONS);
          const linkTo = (conversationId: string): string =>
            formatAddress({ ...address, view: 'conversations', sessionId: undefined, conversationId, step: undefined });
          return (
            <>
              <section class="card" aria-labelledby="strip">
                <h2 id="strip">How long users waited, one conversation after the other</h2>
                <ConversationColumns
                  rows={rows.map(shownConversation)}
                  linkTo={({ id }) => linkTo(id)}
                  current={undefined}
                  zone={zone}
                />
                <Findings findings={findings} />
              </section>
              {rows.length < data.conversations.length ? (
                <p class="soft">
                  The last {countText(MOST_CONVERSATIONS)} of {countWords(data.conversations.length, 'conversation')}.
                </p>
              ) : null}
              <Table
                label="Conversations of the session"
                columns={conversationColumns(rows, linkTo)}
                rows={rows}
                keyOf={({ traceId }) => traceId}
                look={({ outcome }) => (isFailed(outcome) ? 'failed-row' : '')}
              />
            </>
          );
        }}
      </Answered>
    </article>
  );
}

function Figures({ detail, zone }: { detail: SessionDetail; zone: string }) {
  const { conversations, startTime, spokenMs, failures, interruptions, inputTokens, outputTokens } = detail;
  const figures: [words: string, name: string][] = [
    [countText(conversations.length), conversations.length === 1 ? 'conversation' : 'conversations'],
    [durationWords(lengthMs(detail)), 'from first to last'],
    [durationWords(spokenMs), 'in conversations'],
    [countText(failures), 'failed'],
    [countText(interruptions), interruptions === 1 ? 'interruption' : 'interruptions'],
    ...(inputTokens === undefined ? [] : [[countText(inputTokens), 'input tokens'] as [string, string]]),
    ...(outputTokens === undefined ? [] : [[countText(outputTokens), 'output tokens'] as [string, string]]),
  ];
  return (
    <>
      <p class="soft">{timeWords(Date.parse(startTime), zone)}</p>
      <dl class="figures">
        {figures.map(([words, name]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{words}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}

function conversationColumns(
  rows: readonly SessionConversation[],
  linkTo: (conversationId: string) => string,
): Column<SessionConversation>[] {
  const longestMs = Math.max(...rows.map(({ durationMs }) => durationMs), 1);
  return [
    {
      name: 'Conversation',
      cell: ({ conversationId }) => (
        <a class="id" href={linkTo(conversationId)}>
          {conversationId}
        </a>
      ),
    },
    { name: 'Began', isNumber: true, cell: ({ offsetMs }) => `+${durationWords(offsetMs)}` },
    { name: 'Pause before', isNumber: true, cell: ({ pauseMs }) => durationWords(pauseMs) },
    {
      name: 'Duration',
      cell: ({ durationMs }) => (
        <CellBar value={durationMs} scale={longestMs} words={durationWords(durationMs)} look="look-session" />
      ),
    },
    { name: 'Response latency', isNumber: true, cell: ({ responseMs }) => durationCell(responseMs) },
    { name: 'Outcome', cell: ({ outcome }) => <OutcomeBadge outcome={outcome} /> },
    {
      name: 'Error',
      cell: ({ failedStep, errorType, errorMessage }) =>
        failedStep === undefined ? null : (
          <span class="session-error">
            {failedStep}
            {errorType === undefined ? null : <code> {errorType}</code>}
            {errorMessage === undefined ? null : <span> {errorMessage}</span>}
          </span>
        ),
    },
  ];
}
