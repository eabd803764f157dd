import type { Alert, AlertRule } from '@convotel/query';
import type { Query } from '../command-line/answer-command.ts';
import { defineCommand } from '../command-line/command.ts';
import { duration } from '../command-line/duration.ts';
import { flag, list, option } from '../command-line/options.ts';
import type { OptionValues } from '../command-line/options.ts';
import { FILTER_OPTIONS, filtersOf, JSON_OPTION, SOURCE_OPTIONS } from '../command-line/shared-options.ts';
import { UsageError } from '../command-line/usage-error.ts';
import { milliseconds, percentage, wholeNumber } from '../command-line/value-parsers.ts';
import { EXIT_STATUS } from '../exit-status.ts';
import { openLastingSource } from '../sources/open-source.ts';
import { formatJson, printable } from '../text/escape.ts';

const RULE_OPTIONS = {
  maxErrorRate: list(errorRateLimit, {
    placeholder: 'pct',
    description: 'alert above this failure rate, of every step or of one (gpt=5); may be repeated',
    defaultText: '10',
  }),
  maxSlow: option(wholeNumber(0, 9_999), {
    placeholder: 'count',
    description: 'alert when more conversations than this are slow',
    default: '3',
  }),
  slowThreshold: option(milliseconds, {
    placeholder: 'ms',
    description: 'a conversation above it is slow',
    default: '8000',
  }),
  maxP95: list(stepLimit, {
    placeholder: 'step=ms',
    description: "alert when a step's 95th percentile is above it; may be repeated",
  }),
  idle: flag('alert when there is no conversation at all'),
  ...FILTER_OPTIONS,
};

/** `watch`: an alert a line, until Ctrl-C or, with `--once`, after one round. */
export const command = defineCommand({
  examples: [
    ['convotel watch', 'look at the last hour every five minutes, until Ctrl-C'],
    ['convotel watch --max-error-rate gpt=5 --max-p95 gpt=8000', 'own rules'],
    ['convotel watch --once --json', 'one round for a scheduler: status 10 when there is an alert'],
  ],
  options: {
    ...RULE_OPTIONS,
    since: option(duration, { placeholder: 'duration', description: 'how far each round looks back', default: '1h' }),
    interval: option(duration, { placeholder: 'duration', description: 'time between two rounds', default: '5m' }),
    once: flag('look once and exit: 10 when there is an alert, else 0'),
    changes: flag('report a lasting condition only when it begins and when it is over'),
    ...SOURCE_OPTIONS,
    ...JSON_OPTION,
  },
  run: async ({ options, terminal }) => {
    const query = await import('@convotel/query');
    const rules = rulesOf(options, query);
    const windowMs = options.since.milliseconds;
    const clock = (): Date => new Date(Number(terminal.nowUnixNano() / 1_000_000n));
    const print = (alert: Alert): void =>
      terminal.writeOutput(options.json ? formatJson(alert, 0) : `${lineOf(alert)}\n`);

    const source = await openLastingSource(options, terminal.environment);
    try {
      if (options.once) {
        const alerts = await query.watchOnce(source, rules, { windowMs, clock });
        alerts.forEach(print);
        return alerts.length > 0 ? EXIT_STATUS.thresholdCrossed : EXIT_STATUS.answered;
      }
      terminal.writeError(`Watching ${source.location}, every ${options.interval.text}; Ctrl-C ends it.\n`);
      const rounds = query.watch(source, rules, {
        windowMs,
        intervalMs: options.interval.milliseconds,
        clock,
        repeat: !options.changes,
        signal: terminal.interrupted,
      });
      for await (const alert of rounds) print(alert);
      return EXIT_STATUS.interrupted;
    } finally {
      await source.close();
    }
  },
});

/** The rules that were asked for; those for the failure rate and for slow conversations are always there. */
function rulesOf(options: OptionValues<typeof RULE_OPTIONS>, query: Query): AlertRule[] {
  const filters = filtersOf(options);
  // A limit for one step replaces neither the one for every step nor another step's.
  const errorRates = options.maxErrorRate.length === 0 ? [{}] : options.maxErrorRate;
  return [
    ...errorRates.map((limit) => query.highErrorRate({ ...limit, filters })),
    query.slowConversations({ thresholdMs: options.slowThreshold, moreThan: options.maxSlow, filters }),
    ...options.maxP95.map((limit) => query.slowStep({ ...limit, filters })),
    ...(options.idle ? [query.noConversations({ filters })] : []),
  ];
}

/** `gpt=5` is a limit for one step, `5` one for every step. */
function errorRateLimit(text: string, flagText: string): { step?: string; abovePct: number } {
  const { step, value } = splitLimit(text);
  return { ...(step === undefined ? {} : { step }), abovePct: percentage(value, flagText) };
}

/** `gpt=8000`. */
function stepLimit(text: string, flagText: string): { step: string; aboveMs: number } {
  const { step, value } = splitLimit(text);
  if (step === undefined) {
    throw new UsageError(`${flagText} takes a step and milliseconds such as gpt=8000, got "${text}".`);
  }
  return { step, aboveMs: milliseconds(value, flagText) };
}

/** A step's name may hold an equals sign itself. */
function splitLimit(text: string): { step?: string; value: string } {
  const place = text.lastIndexOf('=');
  return place === -1 ? { value: text } : { step: text.slice(0, place), value: text.slice(place + 1) };
}

function lineOf(alert: Alert): string {
  return `${alert.severity === 'good' ? '✓ ' : '⚠️ '} ${printable(alert.text)}`;
}
