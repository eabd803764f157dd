import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startLocalBackend } from '@convotel/local';
import { startTracing } from '@convotel/sdk';
import type { Invocation } from '../command-line/command-definition.ts';
import { UsageError } from '../command-line/usage-error.ts';
import { EXIT_STATUS } from '../exit-status.ts';
import type { ExitStatus } from '../exit-status.ts';
import type { Terminal } from '../terminal.ts';
import { untilAborted } from '../until-aborted.ts';
import { runLiveConversations } from './live-conversations.ts';
import { planHistory } from './plan-history.ts';
import { recordHistory } from './record-history.ts';
import { showSession, stepHeadline } from './show-session.ts';
import { withoutOtelVariables } from './without-otel-variables.ts';

const RULE = '='.repeat(60);

/**
 * Runs a fake assistant live and makes up a week of its past, sends the spans by OTLP to an embedded back end with a
 * store of its own, and shows every answer on them. Nothing of it touches the user's own store or settings.
 */
export async function runDemo({ texts, flags, terminal, call }: Invocation): Promise<ExitStatus> {
  const speed = parseSpeed(texts['speed'] ?? '10');
  const folder = await mkdtemp(join(tmpdir(), 'convotel-demo-'));
  const backend = await startLocalBackend({ port: 0, storePath: join(folder, 'demo.duckdb') });
  try {
    const inside = askingOnly(terminal, backend.url, flags.has('noColor'));
    await withoutOtelVariables(() => makeAndShow(speed, backend.url, inside, call));
    if (flags.has('keep') && !terminal.interrupted.aborted) await keepRunning(backend.url, terminal);
    return terminal.interrupted.aborted && !flags.has('keep') ? EXIT_STATUS.interrupted : EXIT_STATUS.answered;
  } finally {
    await backend.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function makeAndShow(speed: number, url: string, terminal: Terminal, call: Invocation['call']): Promise<void> {
  const say = (line: string): void => terminal.writeOutput(`${line}\n`);
  terminal.writeOutput(stepHeadline(1, 'CREATE TEST DATA'));
  say(`\n${RULE}\nconvotel demo: a fake assistant at ${speed} times real speed\n${RULE}`);

  const tracing = startTracing({ serviceName: 'convotel-demo', endpoint: url, captureContent: true, journal: false });
  const nowUnixMs = Number(terminal.nowUnixNano() / 1_000_000n);
  const history = planHistory(nowUnixMs);
  try {
    recordHistory(history.conversations);
    const live = await runLiveConversations(speed, say);
    await tracing.flush();
    say(`\nBeside them: ${history.conversations.length} conversations of the past week, made up.`);
    say(`All of it went by OTLP to ${url} and is answered from there (CONVOTEL_FROM=${url}).`);

    say(`\n${RULE}\nAnalytics\n${RULE}\n\n1. Conversation Summary:\n`);
    await call(['summary', live.completed[0] as string, '--no-findings'], terminal);
    const { timeZone } = new Intl.DateTimeFormat().resolvedOptions();
    await showSession({ live, improvedAtUnixMs: history.improvedAtUnixMs, timeZone }, terminal, call);
  } finally {
    await tracing.shutdown();
  }
}

/** The same terminal, with commands that read from the demo's back end and nowhere else. */
function askingOnly(terminal: Terminal, url: string, isPlain: boolean): Terminal {
  return {
    ...terminal,
    isColorful: terminal.isColorful && !isPlain,
    environment: { CONVOTEL_FROM: url },
    nowUnixNano: () => terminal.nowUnixNano(),
  };
}

async function keepRunning(url: string, terminal: Terminal): Promise<void> {
  terminal.writeOutput(
    [
      '\nThe back end keeps running. In another terminal, try:\n',
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

function parseSpeed(text: string): number {
  const speed = Number(text);
  if (!(speed >= 0.1 && speed <= 1000)) throw new UsageError(`--speed takes a number from 0.1 to 1000, got "${text}".`);
  return speed;
}
