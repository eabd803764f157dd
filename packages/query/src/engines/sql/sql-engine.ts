import type { Engine } from '../../questions.ts';
import { conversationAnswers } from './conversations.ts';
import type { SqlStore } from './sql-store.ts';
import { stepAnswers } from './steps.ts';

/**
 * Each question over a database with SQL. A dialect brings its SQL files, its row readers and its connection, and shows
 * the statements only the spans that the filters of the question choose.
 */
export const sqlEngine: Engine<SqlStore> = { ...conversationAnswers, ...stepAnswers };
