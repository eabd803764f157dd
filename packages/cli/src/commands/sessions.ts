import type { ConversationSource, Report, SessionConversation, SessionDetail, SessionRow } from '@convotel/query';
import { answerCommand, windowCommand } from '../command-line/answer-command.ts';
import { reasonsIn } from '../command-line/conversation-command.ts';
import { LIMIT_OPTION } from '../command-line/shared-options.ts';
import {
  findingsSection,
  heavyRule,
  pageText,
  tableSection,
  titleLines,
  bothUnitsText,
  outcomeText,
  secondsText,
} from '../text/page.ts';
import type { TextContext } from '../text/page.ts';
import { layOutTable, tableWidths } from '../text/table.ts';
import type { Column } from '../text/table.ts';
import { bar } from '../text/graph.ts';

/** `sessions`: phone calls, chat threads, a robot's days. */
export const sessions = windowCommand({
  examples: [['convotel sessions --since 7d', 'the newest ten of the last week']],
  since: '24h',
  options: LIMIT_OPTION,
  ask: async (source, asked) => {
    const { sessions } = await import('@convotel/query');
    return sessions(source, { ...asked, limit: asked.options.limit });
  },
  text: sessionsText,
});

/** The sessions, newest first; tokens only if steps have them. */
export function sessionsText(
  { data: rows }: Report<'sessions', SessionRow[]>,
  context: TextContext,
  { windowText }: { windowText: string },
): string {
  const columns: Column<SessionRow>[] = [
    { heading: 'Session ID', width: 18, align: 'left', cell: (row) => row.sessionId },
    { heading: 'Start Time', width: 19, align: 'left', gap: 1, cell: (row) => context.localTime(row.startTime, 0) },
    { heading: 'Conv.', width: 5, align: 'right', gap: 1, cell: (row) => String(row.conversations) },
    { heading: 'Spoken (s)', width: 10, align: 'right', gap: 1, cell: (row) => secondsText(row.spokenMs) },
    { heading: 'Failed', width: 6, align: 'right', gap: 1, cell: (row) => String(row.failures) },
    { heading: 'Interr.', width: 7, align: 'right', gap: 1, cell: (row) => String(row.interruptions) },
  ];
  if (rows.some((row) => row.inputTokens !== undefined || row.outputTokens !== undefined)) {
    columns.push({ heading: 'Tokens', width: 8, align: 'right', gap: 1, cell: tokensText });
  }
  return pageText(
    [
      ...titleLines(`Sessions (${windowText})`, 80, context),
      ...tableSection(layOutTable(columns, rows, context), 80, 'No sessions in this window', context),
      heavyRule(80, context),
    ],
    context,
  );
}

function tokensText({ inputTokens, outputTokens }: SessionRow): string {
  return inputTokens === undefined && outputTokens === undefined
    ? '-'
    : String((inputTokens ?? 0) + (outputTokens ?? 0));
}

/** Stands for the session of the newest conversation that has one. */
const LATEST = 'latest';

/** Number of newest conversations that are searched for one with a session. */
const SEARCHED_CONVERSATIONS = 1000;

/** `session`: the conversations of one phone call or chat thread. */
export const session = answerCommand({
  examples: [['convotel session call-4711', 'its conversations, with the pauses between them']],
  argument: {
    name: 'id',
    choices: [LATEST],
    description: `session id, or \`${LATEST}\` for that of the newest conversation that has one`,
  },
  options: {},
  prepare: ({ argument, timeZone }) => ({ argument, timeZone }),
  ask: async (source, { argument, timeZone }) => {
    const { session } = await import('@convotel/query');
    const sessionId = argument === LATEST ? await findLatest(source, timeZone) : argument;
    return session(source, { sessionId, timeZone });
  },
  text: sessionText,
});

async function findLatest(source: ConversationSource, timeZone: string): Promise<string> {
  const { QueryError, recent } = await import('@convotel/query');
  const { data, coverage } = await recent(source, { timeZone, limit: SEARCHED_CONVERSATIONS });
  const found = data.find(({ sessionId }) => sessionId !== undefined)?.sessionId;
  if (found !== undefined) return found;
  const text =
    data.length === 0
      ? `There is no conversation in ${source.location} yet.`
      : `None of the newest ${data.length} conversations in ${source.location} has a session.`;
  throw new QueryError('NO_SUCH_CONVERSATION', [text, ...reasonsIn(coverage)].join(' '));
}

/** The conversations of one session on a common time axis. A long pause is shortened, and has a line of its own. */
export function sessionText({ data, findings }: Report<'session', SessionDetail>, context: TextContext): string {
  const { places, axisMs } = placesWithoutPauses(data);
  const labelled: Column<SessionConversation>[] = [
    { heading: 'At (s)', width: 9, align: 'right', cell: (row) => secondsText(row.offsetMs) },
    { heading: 'For (s)', width: 8, align: 'right', gap: 1, cell: (row) => secondsText(row.durationMs) },
    { heading: 'Response', width: 8, align: 'right', gap: 1, cell: (row) => responseText(row) },
    { heading: 'Conversation ID', width: 24, align: 'left', gap: 2, cell: (row) => row.conversationId },
  ];
  const room = (context.columns ?? 80) - tableWidths(labelled, data.conversations).wide - 4;
  const cells = Math.min(Math.max(room, MIN_CELLS), MAX_CELLS);
  const axis: Column<SessionConversation> = {
    heading: '',
    width: cells + 2,
    align: 'left',
    gap: 2,
    cell: (row, index) => {
      const startMs = places[index] ?? 0;
      return bar({ startMs, endMs: startMs + row.durationMs, isWait: false }, axisMs, cells);
    },
  };
  const table = layOutTable([...labelled, axis], data.conversations, context, (row) => troubleText(row));
  return pageText(
    [
      ...titleLines(`Session: ${data.sessionId}`, 80, context),
      ...headLines(data, context),
      '',
      ...tableSection(table, 80, 'No conversations', context),
      heavyRule(80, context),
      ...findingsSection('KEY INSIGHTS', findings, context),
    ],
    context,
  );
}

const MIN_CELLS = 10;
const MAX_CELLS = 40;

/** Maximum length of a pause on the axis, as a fraction of the total length of the conversations. */
const PAUSE_SHARE = 0.05;

/** Where each conversation begins on the axis with shortened pauses, and the length of the axis. */
function placesWithoutPauses({ conversations, spokenMs }: SessionDetail): { places: number[]; axisMs: number } {
  let cutMs = 0;
  let axisMs = 0;
  const places = conversations.map(({ offsetMs, pauseMs, durationMs }) => {
    cutMs += Math.max(0, pauseMs - spokenMs * PAUSE_SHARE);
    axisMs = Math.max(axisMs, offsetMs - cutMs + durationMs);
    return offsetMs - cutMs;
  });
  return { places, axisMs };
}

function headLines(detail: SessionDetail, context: TextContext): string[] {
  const { conversations, inputTokens, outputTokens, interruptions, failures } = detail;
  return [
    `Start Time:    ${context.localTime(detail.startTime, 6)}`,
    `End Time:      ${context.localTime(detail.endTime, 6)}`,
    `Conversations: ${conversations.length}`,
    `Spoken:        ${bothUnitsText(detail.spokenMs)}`,
    ...(failures === 0 ? [] : [`Failures:      ${failures}`]),
    ...(interruptions === 0 ? [] : [`Interruptions: ${interruptions}`]),
    ...(inputTokens === undefined && outputTokens === undefined
      ? []
      : [`Tokens:        ${inputTokens ?? 0} in, ${outputTokens ?? 0} out`]),
  ];
}

function responseText({ responseMs }: SessionConversation): string {
  return responseMs === undefined ? '-' : `${secondsText(responseMs)}s`;
}

/** The error, on its own line below the conversation. */
function troubleText({ outcome, failedStep, errorMessage, errorType }: SessionConversation): string {
  if (outcome === 'completed') return '';
  const where = failedStep === undefined ? '' : ` at ${failedStep}`;
  const error = errorMessage ?? errorType;
  return `\n           ${outcomeText(outcome)}${where}${error === undefined ? '' : `: ${error}`}`;
}
