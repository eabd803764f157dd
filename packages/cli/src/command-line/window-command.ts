import type { ConversationSource, Report, WindowedOptions } from '@convotel/query';
import type { Settings } from '../settings/settings.ts';
import type { TextContext } from '../text/page.ts';
import { answerCommand } from './answer-command.ts';
import type { AnswerCall, Query } from './answer-command.ts';
import type { ArgumentDefinition, Command, Example } from './command.ts';
import type { OptionDefinitions } from './options.ts';
import { FILTER_OPTIONS, filtersOf } from './shared-options.ts';
import { windowOptions } from './window-options.ts';

type WindowShared = ReturnType<typeof windowOptions> & typeof FILTER_OPTIONS;

/** What a command over a window asks with. */
export interface WindowedCall<Own extends OptionDefinitions> extends WindowedOptions {
  /** The window in words, such as `last 24 hours`, or `<from>..<to>`. */
  windowText: string;
  argument: string;
  settings: Settings;
  options: AnswerCall<Own & WindowShared>['options'];
}

/** A command over the conversations of a window. */
export interface WindowDefinition<Own extends OptionDefinitions, Name extends string, Data, Drawing> {
  examples: readonly Example[];
  argument?: ArgumentDefinition;
  /** Where the window begins unless told, as the user would write it. */
  since: string;
  /** Options of its own, besides those for the window, the filters, the source and the output. */
  options: Own;
  ask(query: Query, source: ConversationSource, asked: WindowedCall<Own>): Promise<Report<Name, Data>>;
  /** Numbers that only a drawing needs; asked for when there is one. */
  draw?(query: Query, source: ConversationSource, asked: WindowedCall<Own>): Promise<Drawing>;
  text(
    report: Report<Name, Data>,
    context: TextContext,
    asked: WindowedCall<Own>,
    drawing: Drawing | undefined,
  ): string;
}

/** Makes a command out of what it asks over a window, and how it prints. */
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
