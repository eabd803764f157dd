import { watch, watchOnce } from '@convotel/query';
import type { Alert } from '@convotel/query';
import type { Invocation } from '../command-line/command-definition.ts';
import { parseDurationNano } from '../command-line/duration.ts';
import { EXIT_STATUS } from '../exit-status.ts';
import type { ExitStatus } from '../exit-status.ts';
import { formatJson } from '../output/format-json.ts';
import { openLastingSource } from '../sources/open-source.ts';
import { printable } from '../text/printable.ts';
import { rulesOfOptions } from './rules-of-options.ts';

/** Prints an alert a line, until Ctrl-C or, with `--once`, after one round. */
export async function runWatch(invocation: Invocation): Promise<ExitStatus> {
  const { texts, flags, terminal } = invocation;
  const rules = rulesOfOptions(invocation);
  const windowMs = millisecondsOf(texts['since'] ?? '1h', '--since');
  const intervalMs = millisecondsOf(texts['interval'] ?? '5m', '--interval');
  const clock = (): Date => new Date(Number(terminal.nowUnixNano() / 1_000_000n));
  const tell = (alert: Alert): void =>
    terminal.writeOutput(flags.has('json') ? formatJson(alert, 0) : `${lineOf(alert)}\n`);

  const source = await openLastingSource({ from: texts['from'], store: texts['store'] }, terminal.environment);
  try {
    if (flags.has('once')) {
      const alerts = await watchOnce(source, rules, { windowMs, clock });
      alerts.forEach(tell);
      return alerts.length > 0 ? EXIT_STATUS.thresholdCrossed : EXIT_STATUS.answered;
    }
    terminal.writeError(`Watching ${source.location}, every ${texts['interval'] ?? '5m'}; Ctrl-C ends it.\n`);
    const options = { windowMs, intervalMs, clock, repeat: !flags.has('changes'), signal: terminal.interrupted };
    for await (const alert of watch(source, rules, options)) tell(alert);
    return EXIT_STATUS.interrupted;
  } finally {
    await source.close();
  }
}

function lineOf(alert: Alert): string {
  return `${alert.severity === 'good' ? '✓ ' : '⚠️ '} ${printable(alert.text)}`;
}

function millisecondsOf(text: string, option: string): number {
  return Number(parseDurationNano(text, option) / 1_000_000n);
}
