import type { ConversationFilters } from '@convotel/query';
import type { OptionTexts } from './command-definition.ts';

/** Which conversations `--service`, `--workflow`, `--session` and `--outcome` choose. */
export function filtersOf(texts: OptionTexts): ConversationFilters {
  const { service, workflow, session, outcome } = texts;
  return {
    ...(service === undefined ? {} : { service }),
    ...(workflow === undefined ? {} : { workflow }),
    ...(session === undefined ? {} : { session }),
    // Commander has already refused whatever is none of the choices.
    ...(outcome === undefined ? {} : { outcome: outcome as NonNullable<ConversationFilters['outcome']> }),
  };
}
