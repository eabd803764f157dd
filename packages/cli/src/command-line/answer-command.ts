import type { ConversationSource, Report, WindowedOptions } from '@convotel/query';
import { EXIT_STATUS, unlessInterrupted, UsageError } from '../terminal.ts';
import type { ExitStatus } from '../terminal.ts';
import { openSource, resolveWhere } from '../sources/open-source.ts';
import { formatJson, printable } from '../text/escape.ts';
import { prepareReport } from '../text/table.ts';
import type { TextContext } from '../text/page.ts';
import type { ArgumentDefinition, Call, Command, Example, OptionDefinitions } from './command.ts';
import { showProgress } from './progress.ts';
import {
  OUTPUT_OPTIONS,
  SOURCE_OPTIONS,
  resolveTimeZone,
  FILTER_OPTIONS,
  filtersOf,
  windowOptions,
} from './shared-options.ts';
import type { TimeBase } from './window.ts';
import type { Settings } from '../settings/settings.ts';

type Shared = typeof SOURCE_OPTIONS & typeof OUTPUT_OPTIONS;

/** The input of a command: its call, the time zone and the current time. */
export type AnswerCall<Own extends OptionDefinitions> = Call<Own & Shared> & TimeBase;

/** A command that asks one question and prints the answer. */
export interface AnswerDefinition<
  Own extends OptionDefinitions,
  Asked,
  Answered extends Report<string, unknown>,
  Drawing,
> {
  examples: readonly Example[];
  argument?: ArgumentDefinition;
  /** Options besides those for source and output. */
  options: Own;
  /** Builds the question from the call. Throws `UsageError` before anything is opened. */
  prepare(call: AnswerCall<Own>): Asked | Promise<Asked>;
  ask(source: ConversationSource, asked: Asked): Promise<Answered>;
  /** Queries data that is only needed for a chart; called only if one is drawn. */
  draw?(source: ConversationSource, asked: Asked): Promise<Drawing>;
  text(report: Answered, context: TextContext, asked: Asked, drawing: Drawing | undefined): string;
  /** The exit status after an answer. Called before the answer is printed; if it throws, nothing is. @defaultValue always 0 */
  exitStatus?(report: Answered, asked: Asked): ExitStatus;
}

/** Creates a command from a question and a function that prints the answer. */
export function answerCommand<
  const Own extends OptionDefinitions,
  Asked,
  Answered extends Report<string, unknown>,
  Drawing,
>(definition: AnswerDefinition<Own, Asked, Answered, Drawing>): Command<Own & Shared> {
  return {
    examples: definition.examples,
    argument: definition.argument,
    options: { ...definition.options, ...SOURCE_OPTIONS, ...OUTPUT_OPTIONS },
    run: async (call) => {
      const over = new AbortController();
      try {
        const answered = answer(definition, call, over.signal);
        return (await unlessInterrupted(answered, call.terminal)) ?? EXIT_STATUS.interrupted;
      } finally {
        over.abort();
      }
    },
  };
}

/** Reads the options, asks the source once, and prints the answer as text, JSON or CSV. */
async function answer<Own extends OptionDefinitions, Asked, Answered extends Report<string, unknown>, Drawing>(
  definition: AnswerDefinition<Own, Asked, Answered, Drawing>,
  call: Call<Own & Shared>,
  over: AbortSignal,
): Promise<ExitStatus> {
  const { terminal } = call;
  const options: Call<Shared>['options'] = call.options;
  const { graph: wanted }: Readonly<Record<string, unknown>> = call.options;
  if (options.json && options.csv) {
    throw new UsageError('--json and --csv both set the output format; give one of them.');
  }
  const timeZone = resolveTimeZone(options.tz, call.settings, terminal);
  const asked = await definition.prepare({ ...call, timeZone, nowUnixNano: terminal.nowUnixNano() });
  const isText = !options.json && !options.csv;
  const canDraw = 'graph' in definition.options && isText;
  const graph = canDraw && (wanted === undefined ? terminal.columns !== undefined : wanted === true);

  const from = { ...options, setting: call.settings.from };
  const progress = showProgress(`Reading ${resolveWhere(from, terminal.environment)}`, terminal);
  over.addEventListener('abort', progress.hide);
  const source = await openSource(from, terminal.environment, {
    onNotice: (notice) => {
      progress.hide();
      terminal.writeError(`convotel: ${notice}\n`);
    },
    ...(terminal.showsProgress === true && {
      onProgress: ({ readRows, totalRows }) =>
        progress.update(`${Math.floor((100 * readRows) / totalRows)} % of ${totalRows.toLocaleString('en')} rows`),
    }),
  });
  try {
    const answered = await definition.ask(source, asked);
    const report = options.noFindings ? { ...answered, findings: [] } : answered;
    const drawing = graph ? await definition.draw?.(source, asked) : undefined;
    progress.hide();
    if (over.aborted) return EXIT_STATUS.interrupted;
    // Before anything is printed, because it may be wrong usage.
    const status = definition.exitStatus?.(report, asked) ?? EXIT_STATUS.answered;
    if (options.json) {
      terminal.writeOutput(formatJson(report));
    } else if (options.csv) {
      terminal.writeOutput((await import('../text/csv.ts')).formatCsv(report));
    } else {
      const shown = await prepareReport(report);
      const context: TextContext = {
        showFindings: !options.noFindings,
        color: terminal.isColorful && !options.noColor,
        graph,
        columns: terminal.columns === undefined ? undefined : Math.min(Math.max(terminal.columns, 40), 120),
        localTime: await localTimeIn(timeZone),
      };
      terminal.writeOutput(definition.text(shown, context, asked, drawing));
    }
    // In JSON, the warnings are part of the document.
    const warnings = options.json ? [] : report.coverage.warnings;
    for (const { text } of warnings) terminal.writeError(`Note: ${printable(text)}\n`);
    return status;
  } finally {
    await source.close();
  }
}

/** Length of a time with 6 decimals, as in answers, and of the part before the decimals. */
const TIME_LENGTH = '2025-10-08T12:30:22.123456Z'.length;
const SECOND_LENGTH = '2025-10-08T12:30:22'.length;

/** Converts times to `timeZone`. Those of one conversation lie close together, so a second is converted only once. */
async function localTimeIn(timeZone: string): Promise<TextContext['localTime']> {
  const { formatLocalInstant, parseInstant } = await import('@convotel/query');
  let last = { second: '', text: '' };
  return (instant, decimals) => {
    if (instant.length !== TIME_LENGTH) {
      return formatLocalInstant(parseInstant(instant), timeZone, decimals);
    }
    const second = instant.slice(0, SECOND_LENGTH);
    if (second !== last.second) {
      last = { second, text: formatLocalInstant(parseInstant(instant), timeZone, 0) };
    }
    return decimals === 0 ? last.text : last.text + instant.slice(SECOND_LENGTH, -1);
  };
}

type WindowShared = ReturnType<typeof windowOptions> & typeof FILTER_OPTIONS;

/** The input of a command over a window. */
export interface WindowedCall<Own extends OptionDefinitions> extends WindowedOptions {
  /** Description of the window, such as `last 24 hours` or `<from>..<to>`. */
  windowText: string;
  argument: string;
  settings: Settings;
  options: AnswerCall<Own & WindowShared>['options'];
}

/** A command over the conversations of a window. */
export interface WindowDefinition<Own extends OptionDefinitions, Name extends string, Data, Drawing> {
  examples: readonly Example[];
  argument?: ArgumentDefinition;
  /** Default of `--since`, unparsed. */
  since: string;
  /** Options besides those for the window, the filters, the source and the output. */
  options: Own;
  ask(source: ConversationSource, asked: WindowedCall<Own>): Promise<Report<Name, Data>>;
  /** Queries data that is only needed for a chart; called only if one is drawn. */
  draw?(source: ConversationSource, asked: WindowedCall<Own>): Promise<Drawing>;
  text(
    report: Report<Name, Data>,
    context: TextContext,
    asked: WindowedCall<Own>,
    drawing: Drawing | undefined,
  ): string;
}

/** Creates a command from a question about a window and a function that prints the answer. */
export function windowCommand<const Own extends OptionDefinitions, Name extends string, Data, Drawing>({
  since,
  options: own,
  ...definition
}: WindowDefinition<Own, Name, Data, Drawing>): Command {
  return answerCommand({
    ...definition,
    options: { ...own, ...windowOptions(since), ...FILTER_OPTIONS },
    prepare: async (call: AnswerCall<Own & WindowShared>): Promise<WindowedCall<Own>> => {
      const { resolveWindow } = await import('./window.ts');
      const { argument, options, settings, timeZone } = call;
      const shared: AnswerCall<WindowShared>['options'] = options;
      return {
        ...resolveWindow(shared, since, call),
        argument,
        options,
        settings,
        timeZone,
        filters: filtersOf(shared),
      };
    },
  });
}
