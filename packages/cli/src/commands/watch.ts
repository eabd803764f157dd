import type { Alert } from '@convotel/query';
import { defineCommand, flag, list, option } from '../command-line/command.ts';
import { duration, durationMs, percentage, text, wholeNumber } from '../values.ts';
import {
  FILTER_OPTIONS,
  filtersOf,
  JSON_OPTION,
  SOURCE_OPTIONS,
  TIME_ZONE_OPTION,
  resolveTimeZone,
} from '../command-line/shared-options.ts';
import { UsageError, EXIT_STATUS, unlessInterrupted } from '../terminal.ts';
import { openLastingSource } from '../sources/open-source.ts';
import { formatJson, printable } from '../text/escape.ts';
import { lastingRule } from '../watch/lasting-rule.ts';
import { watchRules } from '../watch/rules.ts';
import type { ErrorRateLimit, StepLimit } from '../watch/rules.ts';

const RULE_OPTIONS = {
  maxErrorRate: list(errorRateLimit, {
    placeholder: 'pct',
    description: 'alert above this failure rate, of every step or of one (gpt=5); may be repeated',
    defaultText: '10',
  }),
  maxSlow: option(wholeNumber(0, 9_999), {
    placeholder: 'count',
    description: 'alert when more conversations than this are slow',
    defaultText: '3',
  }),
  slowThreshold: option(durationMs, {
    placeholder: 'time',
    description: 'a conversation above it is slow (8s; a bare number is milliseconds)',
    defaultText: '8s',
  }),
  maxP95: list(stepLimit, {
    placeholder: 'step=time',
    description: "alert when a step's 95th percentile is above it (gpt=8s); may be repeated",
  }),
  maxResponse: option(durationMs, {
    placeholder: 'time',
    description:
      'alert when the 95th percentile of the response latency is above it (2s; a bare number is milliseconds)',
  }),
  idle: flag('alert when there is no conversation at all'),
  minSamples: option(wholeNumber(1, 10_000), {
    placeholder: 'count',
    description: 'no alert from fewer spans, or conversations, than this in a round',
    default: '1',
    setting: ({ watch }) => watch?.minSamples?.toString(),
  }),
  for: option(durationMs, {
    placeholder: 'time',
    description: 'how long a condition must last before it is an alert (10m; a bare number is milliseconds)',
    default: '0',
    setting: ({ watch }) => watch?.for,
  }),
  ...FILTER_OPTIONS,
};

/** `watch`: prints one alert per line, until Ctrl-C or, with `--once`, for one round. */
export const command = defineCommand({
  examples: [
    ['convotel watch', 'look at the last hour every five minutes, until Ctrl-C'],
    ['convotel watch --max-error-rate gpt=5 --max-p95 gpt=8s', 'own rules'],
    ['convotel watch --once --state ~/.convotel-watch.json', 'one round for cron: says only what is new'],
  ],
  options: {
    ...RULE_OPTIONS,
    since: option(duration, {
      placeholder: 'duration',
      description: 'how far each round looks back',
      default: '1h',
      setting: ({ watch }) => watch?.since,
    }),
    interval: option(duration, {
      placeholder: 'duration',
      description: 'time between two rounds',
      default: '5m',
      setting: ({ watch }) => watch?.interval,
    }),
    once: flag('check once and exit: 10 when there is an alert to print, else 0'),
    changes: flag('report a lasting condition only when it begins and when it is over'),
    state: option(text, {
      placeholder: 'file',
      description: 'stores what was reported, so that the next --once reports only changes',
    }),
    ...SOURCE_OPTIONS,
    ...TIME_ZONE_OPTION,
    ...JSON_OPTION,
  },
  run: async ({ options, settings, terminal }) => {
    const { formatLocalInstant, parseInstant, watch, watchOnce } = await import('@convotel/query');
    const { highErrorRate, noConversations, slowConversations, slowResponse, slowStep } =
      await import('@convotel/query');
    const alertRules = { highErrorRate, noConversations, slowConversations, slowResponse, slowStep };
    const timeZone = resolveTimeZone(options.tz, settings, terminal);
    // Each line has a time, except with `--once`.
    const timeOf = (alert: Alert): string =>
      options.once ? '' : `${formatLocalInstant(parseInstant(alert.time), timeZone, 0)} `;
    const print = (alert: Alert): void =>
      terminal.writeOutput(options.json ? formatJson(alert, 0) : `${timeOf(alert)}${lineOf(alert)}\n`);

    const filters = filtersOf(options);
    const rules = watchRules(options, settings, alertRules, filters);
    if (options.once && options.state === undefined && rules.some(({ forMs }) => forMs > 0)) {
      throw new UsageError(
        '--for (or "for" in convotel.json) needs --state <file> with --once, to remember how long a condition has lasted.',
      );
    }
    const rule = await lastingRule(rules, filters, {
      repeat: !options.changes && options.state === undefined,
      statePath: options.state,
      warn: (message) => terminal.writeError(`Note: ${printable(message)}\n`),
    });
    const windowMs = options.since.milliseconds;
    const clock = (): Date => new Date(Number(terminal.nowUnixNano() / 1_000_000n));
    const source = await openLastingSource({ ...options, setting: settings.from }, terminal.environment);
    try {
      if (options.once) {
        const alerts = await unlessInterrupted(watchOnce(source, [rule], { windowMs, clock }), terminal);
        if (alerts === undefined) return EXIT_STATUS.interrupted;
        alerts.forEach(print);
        await rule.save();
        return alerts.some(({ severity }) => severity !== 'good') ? EXIT_STATUS.thresholdCrossed : EXIT_STATUS.answered;
      }
      terminal.writeError(`Watching ${source.location}, every ${options.interval.text}; Ctrl-C ends it.\n`);
      const intervalMs = options.interval.milliseconds;
      const rounds = watch(source, [rule], { windowMs, intervalMs, clock, signal: terminal.interrupted });
      for await (const alert of rounds) print(alert);
      await rule.save();
      return EXIT_STATUS.interrupted;
    } finally {
      await source.close();
    }
  },
});

/** Parses `gpt=5`, a limit for one step, or `5`, a limit for every step. */
function errorRateLimit(written: string, flagText: string): ErrorRateLimit {
  const { step, value } = splitLimit(written);
  const colon = /^(.+):(\d+(?:\.\d+)?)$/.exec(value);
  if (colon !== null)
    throw new UsageError(`${flagText} takes gpt=5 or 5, got "${written}". Did you mean ${colon[1]}=${colon[2]}?`);
  return { ...(step === undefined ? {} : { step }), abovePct: percentage(value, flagText) };
}

/** Parses `gpt=8s`. */
function stepLimit(text: string, flagText: string): StepLimit {
  const { step, value } = splitLimit(text);
  if (step === undefined) {
    throw new UsageError(`${flagText} takes a step and a time such as gpt=8s, got "${text}".`);
  }
  return { step, aboveMs: durationMs(value, flagText) };
}

/** Splits at the last equals sign, because a step's name may contain one. */
function splitLimit(text: string): { step?: string; value: string } {
  const place = text.lastIndexOf('=');
  return place === -1 ? { value: text } : { step: text.slice(0, place), value: text.slice(place + 1) };
}

function lineOf(alert: Alert): string {
  return `${alert.severity === 'good' ? '✓ ' : '⚠️ '} ${printable(alert.text)}`;
}
