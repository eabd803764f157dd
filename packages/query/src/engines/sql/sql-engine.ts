import type { Engine } from '../../questions.ts';
import { countConversations, findConversation, listConversations } from './conversations.ts';
import type { SqlStore } from './sql-store.ts';
import { gatherCommonErrors, gatherStepDurations, gatherStepStatistics } from './steps.ts';

/**
 * Each question over a database with SQL. A dialect brings its SQL files, its row readers and its connection, and shows
 * the statements only the spans that the filters of the question choose.
 */
export const sqlEngine: Engine<SqlStore> = {
  conversation: (store, { conversationId }) => findConversation(store, conversationId),
  conversations: listConversations,
  'step-statistics': gatherStepStatistics,
  'conversation-counts': countConversations,
  'common-errors': gatherCommonErrors,
  'step-durations': gatherStepDurations,
};
