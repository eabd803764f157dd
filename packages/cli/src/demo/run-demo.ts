import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startLocalBackend } from '@convotel/local';
import { formatInstant } from '@convotel/query';
import { startTracing } from '@convotel/sdk';
import { resolveTimeZone } from '../command-line/shared-options.ts';
import { EXIT_STATUS, untilAborted } from '../terminal.ts';
import type { ExitStatus, Terminal } from '../terminal.ts';
import { pageFolder } from '../sources/page.ts';
import { runLiveConversations } from './live-conversations.ts';
import type { LiveConversations } from './live-conversations.ts';
import { HISTORY_WORKFLOW, planHistory, recordHistory } from './history.ts';
import type { PlannedConversation } from './history.ts';

export interface DemoOptions {
  /** Speed of the live part, as a multiple of real time. */
  speed: number;
  /** Whether the back end keeps running until Ctrl-C. */
  keep: boolean;
  noColor: boolean;
}

const RULE = '='.repeat(60);

/** Made-up prices for the models of the history. */
const SETTINGS = {
  currency: 'EUR',
  prices: {
    'example-large': { inputPerMillionTokens: 2.5, outputPerMillionTokens: 10 },
    'example-small': { inputPerMillionTokens: 0.3, outputPerMillionTokens: 1.2 },
    'example-voice': { perMillionCharacters: 15 },
  },
};

/**
 * Runs a fake assistant live and generates a week of history, sends the spans by OTLP to an embedded back end with a
 * temporary store, and runs every command on them. Does not use the user's store or settings.
 */
export async function runDemo(
  { speed, keep, noColor }: DemoOptions,
  terminal: Terminal,
  runWords: RunWords,
): Promise<ExitStatus> {
  const folder = await mkdtemp(join(tmpdir(), 'convotel-demo-'));
  const backend = await startLocalBackend({
    port: 0,
    storePath: join(folder, 'demo.duckdb'),
    pageFolder: pageFolder(),
  });
  try {
    // Resolved only once, so that the note about an invalid TZ is printed once.
    const timeZone = resolveTimeZone(undefined, {}, terminal);
    const settingsPath = join(folder, 'convotel.json');
    await writeFile(settingsPath, JSON.stringify(SETTINGS));
    const variables = { CONVOTEL_FROM: backend.url, CONVOTEL_CONFIG: settingsPath, TZ: timeZone };
    const inside = askingOnly(terminal, variables, noColor);
    await withoutOtelVariables(() => makeAndShow(timeZone, speed, backend.url, inside, runWords));
    if (keep && !terminal.interrupted.aborted) await keepRunning(backend.url, terminal);
    return terminal.interrupted.aborted && !keep ? EXIT_STATUS.interrupted : EXIT_STATUS.answered;
  } finally {
    await backend.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function makeAndShow(
  timeZone: string,
  speed: number,
  url: string,
  terminal: Terminal,
  runWords: RunWords,
): Promise<void> {
  const printLine = (line: string): void => terminal.writeOutput(`${line}\n`);
  terminal.writeOutput(stepHeadline(1, 'CREATE TEST DATA'));
  printLine(`\n${RULE}\nconvotel demo: a fake assistant at ${speed} times real speed\n${RULE}`);

  const tracing = startTracing({ serviceName: 'convotel-demo', endpoint: url, captureContent: true, journal: false });
  const nowUnixMs = Number(terminal.nowUnixNano() / 1_000_000n);
  const history = planHistory(nowUnixMs);
  try {
    const ids = recordHistory(history.conversations);
    const live = await runLiveConversations(speed, printLine);
    await tracing.flush();
    printLine(`\nBeside them: ${history.conversations.length} conversations of the past week, made up.`);
    printLine(`All of it went by OTLP to ${url} and is answered from there (CONVOTEL_FROM=${url}).`);

    printLine(`\n${RULE}\nAnalytics\n${RULE}\n\n1. Conversation Summary:\n`);
    await runWords(['summary', live.completed[0] as string, '--no-findings'], terminal);
    const session = {
      live,
      improvedAtUnixMs: history.improvedAtUnixMs,
      slowestId: ids[slowestSince(history.improvedAtUnixMs, history.conversations)] as string,
      timeZone,
    };
    await showSession(session, terminal, runWords);
  } finally {
    await tracing.shutdown();
  }
}

/** The index of the longest conversation from `sinceUnixMs` on in which no step failed. */
function slowestSince(sinceUnixMs: number, conversations: readonly PlannedConversation[]): number {
  const tookMs = conversations.map(({ startUnixMs, steps }) =>
    startUnixMs < sinceUnixMs || steps.some(({ errorMessage }) => errorMessage !== undefined)
      ? 0
      : steps.reduce((sum, { durationMs }) => sum + durationMs, 0),
  );
  return tookMs.indexOf(Math.max(...tookMs));
}

/** The terminal with another environment, in which commands read only from the demo's back end. */
function askingOnly(terminal: Terminal, environment: Terminal['environment'], isPlain: boolean): Terminal {
  return {
    ...terminal,
    isColorful: terminal.isColorful && !isPlain,
    workingFolder: undefined,
    environment,
    nowUnixNano: () => terminal.nowUnixNano(),
  };
}

async function keepRunning(url: string, terminal: Terminal): Promise<void> {
  terminal.writeOutput(
    [
      `\nThe back end keeps running. See all of it in a browser:\n\n  ${url}/#/now?since=7d\n`,
      'In another terminal, try:\n',
      `  export CONVOTEL_FROM=${url}`,
      '  convotel longest --since 7d',
      '  convotel common-errors --since 7d',
      '  convotel percentiles stt --json',
      `  OTEL_EXPORTER_OTLP_ENDPOINT=${url} node your-program.js`,
      '\nCtrl-C ends it and removes its data.\n',
    ].join('\n'),
  );
  await untilAborted(terminal.interrupted);
}

/**
 * Removes all `OTEL_*` variables while `run` is running. OpenTelemetry reads them itself, and variables that were set
 * for other programs must not affect where the demo sends, its sampling, or whether it traces.
 */
async function withoutOtelVariables<Result>(run: () => Promise<Result>): Promise<Result> {
  const own = Object.entries(process.env).filter(([name]) => name.startsWith('OTEL_'));
  for (const [name] of own) delete process.env[name];
  try {
    return await run();
  } finally {
    Object.assign(process.env, Object.fromEntries(own));
  }
}

/** Runs a command line, as a user would. */
type RunWords = (words: readonly string[], terminal: Terminal) => Promise<ExitStatus>;

/** The data for the session. */
interface Session {
  live: LiveConversations;
  improvedAtUnixMs: number;
  /** The longest conversation of the history. */
  slowestId: string;
  /** The time zone of the daily rhythm of the history. */
  timeZone: string;
}

interface SessionStep {
  title: string;
  /** Printed before the first command. */
  note?: string;
  calls: string[][];
}

const HEADLINE_RULE = '═'.repeat(79);

/** Prints the headline of one step of the session. */
function stepHeadline(step: number, title: string): string {
  return `\n${HEADLINE_RULE}\nSTEP ${step}: ${title}\n${HEADLINE_RULE}\n`;
}

/** Runs the commands of steps 2 to 10 and then further ones, and prints each command before its output. */
async function showSession(session: Session, terminal: Terminal, runWords: RunWords): Promise<void> {
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
      note: 'The slowest conversation since the optimization, against the same steps of the seven days before it.',
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
      title: 'ONE GROUP BESIDE ANOTHER',
      calls: [['averages', '--since', '7d', '--by', 'model', ...ofHistory]],
    },
    {
      title: 'USAGE AND COST',
      note: 'The prices are made up too; set your own in convotel.json.',
      calls: [
        ['usage', '--since', '7d', ...ofHistory],
        ['usage', '--since', '7d', '--by', 'day', ...ofHistory],
      ],
    },
  ];
}
