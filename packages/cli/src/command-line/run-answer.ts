import { EXIT_STATUS } from '../exit-status.ts';
import type { ExitStatus } from '../exit-status.ts';
import { formatJson } from '../output/format-json.ts';
import { openSource } from '../sources/open-source.ts';
import { printable } from '../text/printable.ts';
import type { AnswerDefinition } from './answer-definition.ts';
import { untilAborted } from '../until-aborted.ts';
import type { Invocation, OptionTexts } from './command-definition.ts';
import { filtersOf } from './filters.ts';
import { resolveTimeZone } from './time-zone.ts';
import { resolveWindow } from './window.ts';
import type { NamedWindow } from './window.ts';

const BEGINNING_OF_TIME = '1970-01-01T00:00:00Z';

/**
 * Understands the options, asks the source once, and prints the answer as text or JSON. Ctrl-C ends the waiting at once;
 * what is still under way then ends with the process.
 */
export async function runAnswer<Command extends string, Data, Options>(
  definition: AnswerDefinition<Command, Data, Options>,
  invocation: Invocation,
): Promise<ExitStatus> {
  const over = new AbortController();
  const interrupted = untilAborted(invocation.terminal.interrupted, over.signal);
  try {
    return await Promise.race([interrupted.then(() => EXIT_STATUS.interrupted), answer(definition, invocation)]);
  } finally {
    over.abort();
  }
}

async function answer<Command extends string, Data, Options>(
  definition: AnswerDefinition<Command, Data, Options>,
  { argument, texts, flags, terminal }: Invocation,
): Promise<ExitStatus> {
  const timeZone = resolveTimeZone(texts['tz']);
  const nowUnixNano = terminal.nowUnixNano();
  const named = windowOf(definition.defaultSince, texts, timeZone, nowUnixNano);
  const options = await definition.understand({
    argument,
    texts,
    timeZone,
    ...(named === undefined ? {} : { window: named.window }),
    filters: filtersOf(texts),
    nowUnixNano,
  });

  const source = await openSource({ from: texts['from'], store: texts['store'] }, terminal.environment);
  try {
    const report = await definition.ask(source, options);
    if (flags.has('noFindings')) report.findings = [];
    if (flags.has('json')) {
      terminal.writeOutput(formatJson(report));
    } else {
      terminal.writeOutput(
        await definition.text(printable(report), {
          windowText: named?.windowText ?? '',
          showFindings: !flags.has('noFindings'),
          color: terminal.isColorful && !flags.has('noColor'),
          ...definition.context?.(texts),
        }),
      );
      for (const { text } of report.coverage.warnings) terminal.writeError(`Note: ${printable(text)}\n`);
    }
    return definition.exitStatus?.(report, texts) ?? EXIT_STATUS.answered;
  } finally {
    await source.close();
  }
}

function windowOf(
  defaultSince: string | undefined,
  texts: OptionTexts,
  timeZone: string,
  nowUnixNano: bigint,
): NamedWindow | undefined {
  if (defaultSince === undefined) return undefined;
  const { since, until, hours } = texts;
  if (defaultSince !== 'everything') return resolveWindow({ since, until, hours }, defaultSince, timeZone, nowUnixNano);
  if (since === undefined && until === undefined && hours === undefined) return undefined;
  return resolveWindow({ since, until, hours }, BEGINNING_OF_TIME, timeZone, nowUnixNano);
}
