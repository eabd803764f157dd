import { millisecondsOf } from '../../analytics/milliseconds.ts';
import type { ConversationFilters } from '../../model/window.ts';
import { formatInstant } from '../../time/format-instant.ts';
import type { AlertRule } from '../alert.ts';
import { windowText } from '../alert-text.ts';

/** What {@link noConversations} is made with. */
export interface NoConversationsOptions {
  filters?: ConversationFilters | undefined;
}

/** Alerts when no conversation starts in the window: the assistant, or what it sends, has gone silent. */
export function noConversations(options: NoConversationsOptions = {}): AlertRule {
  const { filters = {} } = options;
  const name = 'no-conversations';
  return {
    name,
    async check(source, window) {
      const { data } = await source.ask({ name: 'conversations', window, filters, order: 'newest', limit: 1 });
      if (data.length > 0) return [];
      const windowMs = millisecondsOf(window.untilUnixNano - window.sinceUnixNano);
      return [
        {
          rule: name,
          severity: 'problem',
          text: `NO CONVERSATIONS: none in the last ${windowText(windowMs)}`,
          evidence: { conversations: 0, windowMs },
          time: formatInstant(window.untilUnixNano),
        },
      ];
    },
  };
}
