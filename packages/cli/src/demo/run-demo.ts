import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startLocalBackend } from '@convotel/local';
import { startTracing } from '@convotel/sdk';
import { resolveTimeZone } from '../command-line/time-zone.ts';
import { EXIT_STATUS } from '../exit-status.ts';
import type { ExitStatus } from '../exit-status.ts';
import { untilAborted } from '../terminal.ts';
import type { Terminal } from '../terminal.ts';
import { pageFolder } from '../sources/page-folder.ts';
import { runLiveConversations } from './live-conversations.ts';
import { planHistory } from './plan-history.ts';
import type { PlannedConversation } from './plan-history.ts';
import { recordHistory } from './record-history.ts';
import { showSession, stepHeadline } from './show-session.ts';
import type { RunWords } from './show-session.ts';

/** How the demo runs. */
export interface DemoOptions {
  /** How much faster than real the live part runs. */
  speed: number;
  /** Whether the back end stays until Ctrl-C. */
  keep: boolean;
  noColor: boolean;
}

const RULE = '='.repeat(60);

/** Made up as well: what the models of the history would cost. */
const SETTINGS = {
  currency: 'EUR',
  prices: {
    'example-large': { inputPerMillionTokens: 2.5, outputPerMillionTokens: 10 },
    'example-small': { inputPerMillionTokens: 0.3, outputPerMillionTokens: 1.2 },
    'example-voice': { perMillionCharacters: 15 },
  },
};

/**
 * Runs a fake assistant live and makes up a week of its past, sends the spans by OTLP to an embedded back end with a
 * store of its own, and shows every answer on them. Nothing of it touches the user's own store or settings.
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
    // Resolved once, so that the note about an invalid TZ is printed once.
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
      slowestId: ids[slowestOf(history.conversations)] as string,
      timeZone,
    };
    await showSession(session, terminal, runWords);
  } finally {
    await tracing.shutdown();
  }
}

/** The place of the conversation that took longest. */
function slowestOf(conversations: readonly PlannedConversation[]): number {
  const tookMs = conversations.map(({ steps }) => steps.reduce((sum, { durationMs }) => sum + durationMs, 0));
  return tookMs.indexOf(Math.max(...tookMs));
}

/** The same terminal, with commands that read from the demo's back end and nowhere else. */
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
 * Runs `run` while this process has no `OTEL_*` variables, and puts them back after it. OpenTelemetry reads them by
 * itself; the user set them for other programs, and because of them the demo must not send there, sample or stay silent.
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
