import { parseInstant } from '@convotel/query';
import type { ConversationSource, SpanRecord, Window } from '@convotel/query';

/** The day on which most worked cases lie. */
export const OCTOBER_8: Window = {
  sinceUnixNano: parseInstant('2025-10-08T00:00:00Z'),
  untilUnixNano: parseInstant('2025-10-09T00:00:00Z'),
};

/** Opens a source that has read `spans`, asks it, and closes it. */
export type Asking = <Data>(spans: SpanRecord[], ask: (source: ConversationSource) => Promise<Data>) => Promise<Data>;

export function askingOf(open: (spans: SpanRecord[]) => Promise<ConversationSource>): Asking {
  return async (spans, ask) => {
    const source = await open(spans);
    try {
      return await ask(source);
    } finally {
      await source.close();
    }
  };
}
