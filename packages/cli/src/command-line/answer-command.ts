import type { ConversationSource, Report } from '@convotel/query';
import { EXIT_STATUS } from '../exit-status.ts';
import type { ExitStatus } from '../exit-status.ts';
import { openSource } from '../sources/open-source.ts';
import { untilAborted } from '../terminal.ts';
import { formatJson, printable } from '../text/escape.ts';
import { prepareWidths } from '../text/width.ts';
import type { TextContext } from '../text/page.ts';
import type { ArgumentDefinition, Call, Command, Example } from './command.ts';
import type { OptionDefinitions } from './options.ts';
import { OUTPUT_OPTIONS, SOURCE_OPTIONS } from './shared-options.ts';
import { resolveTimeZone } from './time-zone.ts';
import type { TimeBase } from './window.ts';

/** The functions that answer, loaded when a command runs and not before. */
export type Query = typeof import('@convotel/query');

type AnyReport = Report<string, unknown>;

type Shared = typeof SOURCE_OPTIONS & typeof OUTPUT_OPTIONS;

/** What a command is asked with: its call, the zone and the present. */
export type AnswerCall<Own extends OptionDefinitions> = Call<Own & Shared> & TimeBase;

/** A command that asks once and prints the answer. */
export interface AnswerDefinition<Own extends OptionDefinitions, Asked, Answered extends AnyReport> {
  examples: readonly Example[];
  argument?: ArgumentDefinition;
  /** Options of its own, besides those for source and output. */
  options: Own;
  /** Makes the question out of the call. Throws `UsageError`, before anything is opened. */
  prepare(call: AnswerCall<Own>): Asked | Promise<Asked>;
  ask(query: Query, source: ConversationSource, asked: Asked): Promise<Answered>;
  text(report: Answered, context: TextContext, asked: Asked): string;
  /** The exit status of a given answer. @defaultValue always 0 */
  exitStatus?(report: Answered, asked: Asked): ExitStatus;
}

/** Makes a command out of what it asks and how it prints; everything around that is the same for all of them. */
export function answerCommand<const Own extends OptionDefinitions, Asked, Answered extends AnyReport>(
  definition: AnswerDefinition<Own, Asked, Answered>,
): Command<Own & Shared> {
  const { examples, argument, options } = definition;
  return {
    examples,
    argument,
    options: { ...options, ...SOURCE_OPTIONS, ...OUTPUT_OPTIONS },
    run: (call) => answerOrEnd(definition, call),
  };
}

/** Ctrl-C ends the waiting at once; what is still under way then ends with the process. */
async function answerOrEnd<Own extends OptionDefinitions, Asked, Answered extends AnyReport>(
  definition: AnswerDefinition<Own, Asked, Answered>,
  call: Call<Own & Shared>,
): Promise<ExitStatus> {
  const over = new AbortController();
  const interrupted = untilAborted(call.terminal.interrupted, over.signal);
  try {
    return await Promise.race([interrupted.then(() => EXIT_STATUS.interrupted), answer(definition, call)]);
  } finally {
    over.abort();
  }
}

/** Reads the options, asks the source once, and prints the answer as text or JSON. */
async function answer<Own extends OptionDefinitions, Asked, Answered extends AnyReport>(
  definition: AnswerDefinition<Own, Asked, Answered>,
  call: Call<Own & Shared>,
): Promise<ExitStatus> {
  const { terminal } = call;
  const options: Call<Shared>['options'] = call.options;
  const timeZone = resolveTimeZone(options.tz);
  const asked = await definition.prepare({ ...call, timeZone, nowUnixNano: terminal.nowUnixNano() });
  const query = await import('@convotel/query');

  const source = await openSource(options, terminal.environment);
  try {
    const answered = await definition.ask(query, source, asked);
    const report = options.noFindings ? { ...answered, findings: [] } : answered;
    if (options.json) {
      terminal.writeOutput(formatJson(report));
    } else {
      const shown = printable(report);
      await prepareWidths(shown);
      const context: TextContext = {
        showFindings: !options.noFindings,
        color: terminal.isColorful && !options.noColor,
        localTime: (instant, decimals) => query.formatLocalInstant(query.parseInstant(instant), timeZone, decimals),
      };
      terminal.writeOutput(definition.text(shown, context, asked));
      for (const warning of shown.coverage.warnings) terminal.writeError(`Note: ${warning}\n`);
    }
    return definition.exitStatus?.(report, asked) ?? EXIT_STATUS.answered;
  } finally {
    await source.close();
  }
}
