import type { WindowedOptions } from '@convotel/query';
import type { AnswerDefinition, AnswerRequest } from './answer-definition.ts';
import type { CommandDefinition, Invocation, OptionDefinition } from './command-definition.ts';
import { FILTER_OPTIONS, OUTPUT_OPTIONS, SOURCE_OPTIONS, WINDOW_OPTIONS } from './shared-options.ts';

/** Makes a command out of what it asks and how it prints; everything around that is the same for all of them. */
export function answerCommand<Command extends string, Data, Options>(
  definition: AnswerDefinition<Command, Data, Options>,
): CommandDefinition {
  const { name, summary, examples, argument, defaultSince, options = [], hasFilters } = definition;
  return {
    name,
    summary,
    examples,
    ...(argument === undefined ? {} : { argument }),
    options: [
      ...options,
      ...(defaultSince === undefined ? [] : withDefault(WINDOW_OPTIONS, defaultSince)),
      ...(hasFilters ? FILTER_OPTIONS : []),
      ...SOURCE_OPTIONS,
      ...OUTPUT_OPTIONS,
    ],
    run: async (invocation: Invocation) => {
      const { runAnswer } = await import('./run-answer.ts');
      return runAnswer(definition, invocation);
    },
  };
}

function withDefault(options: readonly OptionDefinition[], defaultSince: string): OptionDefinition[] {
  return options.map((option) =>
    option.flags.startsWith('--since') ? { ...option, defaultText: defaultSince } : option,
  );
}

/** What a command over a window asks the library with. Only for commands whose window is never absent. */
export function windowedOptions({ window, timeZone, filters }: AnswerRequest): WindowedOptions {
  if (window === undefined) throw new TypeError('a command without defaultSince has no window');
  return { window, timeZone, filters };
}
