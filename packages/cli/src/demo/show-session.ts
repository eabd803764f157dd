import { formatInstant } from '@convotel/query';
import type { ExitStatus } from '../exit-status.ts';
import type { Terminal } from '../terminal.ts';
import type { LiveConversations } from './live-conversations.ts';
import { HISTORY_WORKFLOW } from './record-history.ts';

/** Runs a call of the command line, as a person would. */
export type RunWords = (words: readonly string[], terminal: Terminal) => Promise<ExitStatus>;

/** What the session is about. */
export interface Session {
  live: LiveConversations;
  improvedAtUnixMs: number;
  /** The conversation of the history that took longest. */
  slowestId: string;
  /** The zone that the history's daily rhythm is in. */
  timeZone: string;
}

interface SessionStep {
  title: string;
  /** Sentences before the first command. */
  note?: string;
  calls: string[][];
}

const RULE = '═'.repeat(79);

/** Prints the headline of one step of the session. */
export function stepHeadline(step: number, title: string): string {
  return `\n${RULE}\nSTEP ${step}: ${title}\n${RULE}\n`;
}

/** Runs the commands of steps 2 to 10, and then of those that ask further, as a person would, each shown before its output. */
export async function showSession(session: Session, terminal: Terminal, runWords: RunWords): Promise<void> {
  let step = 2;
  for (const { title, note, calls } of sessionSteps(session)) {
    terminal.writeOutput(stepHeadline(step, title));
    if (note !== undefined) terminal.writeOutput(`\n${note}\n`);
    for (const words of calls) {
      terminal.writeOutput(`\n$ convotel ${words.join(' ')}\n\n`);
      await runWords(words, terminal);
      if (terminal.interrupted.aborted) return;
    }
    step += 1;
  }
}

function sessionSteps({ live, improvedAtUnixMs, slowestId, timeZone }: Session): SessionStep[] {
  const ofHistory = ['--workflow', HISTORY_WORKFLOW];
  const improvedAt = formatInstant(BigInt(improvedAtUnixMs) * 1_000_000n);
  return [
    { title: 'VIEW RECENT CONVERSATIONS', calls: [['recent', '--limit', '5']] },
    { title: 'ANALYZE SPECIFIC CONVERSATION', calls: [['summary', live.completed[0] as string]] },
    { title: 'DETAILED TRACE OF FAILED CONVERSATION', calls: [['trace', live.failed]] },
    {
      title: 'PERFORMANCE STATISTICS',
      note: `The live conversations ran faster than real ones do; --workflow ${HISTORY_WORKFLOW} asks for the week of history alone.`,
      calls: [['averages', '--hours', '24', ...ofHistory]],
    },
    {
      title: 'FIND SLOW CONVERSATIONS',
      calls: [['slow', '--since', '7d', '--threshold', '8000', '--limit', '5', ...ofHistory]],
    },
    { title: 'ERROR ANALYSIS', calls: [['errors', '--since', '7d']] },
    {
      title: 'PATTERNS OVER TIME',
      calls: [
        ['hours', '--hours', '24', '--tz', timeZone],
        ['busiest', '--tz', timeZone],
        ['percentiles', 'gpt', ...ofHistory],
      ],
    },
    {
      title: 'OPTIMIZATION VALIDATION',
      note: 'Halfway through the week the system prompt was optimized. Is it better since?',
      calls: [['compare', '--at', improvedAt, '--span', '84h', ...ofHistory]],
    },
    { title: 'REAL-TIME MONITORING', calls: [['watch', '--once']] },
    {
      title: 'WHY WAS IT SLOW?',
      note: 'The slowest conversation of the week, against the same steps of the seven days before it.',
      calls: [
        ['explain', slowestId],
        ['correlation', '--since', '7d', ...ofHistory],
      ],
    },
    {
      title: 'IS IT FAST ENOUGH?',
      calls: [
        ['satisfaction', '--since', '7d', ...ofHistory],
        ['satisfaction', '--since', '7d', '--by', 'response', '--target', '6s', ...ofHistory],
      ],
    },
    {
      title: 'SESSIONS',
      note: 'Conversations that follow one another closely are one call.',
      calls: [
        ['sessions', '--limit', '5', ...ofHistory],
        ['session', 'latest'],
      ],
    },
    {
      title: 'USAGE AND COST',
      note: 'The prices are made up, too; yours stand in convotel.json.',
      calls: [
        ['usage', '--since', '7d', ...ofHistory],
        ['usage', '--since', '7d', '--by', 'day', ...ofHistory],
      ],
    },
  ];
}
