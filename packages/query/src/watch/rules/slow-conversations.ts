import { nanosecondsOf } from '../../analytics/milliseconds.ts';
import { checkNumber, checkWholeNumber } from '../../commands/check-options.ts';
import type { ConversationFilters } from '../../model/window.ts';
import { MAX_QUESTION_LIMIT } from '../../questions.ts';
import { formatInstant } from '../../time/format-instant.ts';
import type { AlertRule } from '../alert.ts';
import { limitText } from '../alert-text.ts';

/** What {@link slowConversations} is made with. */
export interface SlowConversationsOptions {
  /** A conversation with more milliseconds than this in completed outermost steps is slow. @defaultValue `8000` */
  thresholdMs?: number | undefined;
  /** Alerts when there are more slow ones than this, 0 to 9,999. @defaultValue `3` */
  moreThan?: number | undefined;
  filters?: ConversationFilters | undefined;
}

/** Slow conversations beyond this are not counted: by then the number no longer matters. */
const MOST_COUNTED = 1000;

/**
 * Alerts when more than `moreThan` conversations of the window are slow, as `slow` counts them.
 * @throws `QueryError` `OPTION_OUT_OF_RANGE`
 */
export function slowConversations(options: SlowConversationsOptions = {}): AlertRule {
  const { thresholdMs = 8000, moreThan = 3, filters = {} } = options;
  checkNumber('thresholdMs', thresholdMs, 0);
  checkWholeNumber('moreThan', moreThan, 0, MAX_QUESTION_LIMIT - 1);
  const name = 'slow-conversations';
  const limit = Math.max(MOST_COUNTED, moreThan + 1);
  return {
    name,
    async check(source, window) {
      const { data } = await source.ask({
        name: 'conversations',
        window,
        filters,
        order: 'slowest',
        limit,
        completedAboveNano: nanosecondsOf(thresholdMs),
      });
      const conversations = data.length;
      if (conversations <= moreThan) return [];
      const atLeast = conversations === limit ? 'at least ' : '';
      return [
        {
          rule: name,
          severity: 'warning',
          text: `SLOW PERFORMANCE: ${atLeast}${conversations} conversations >${limitText(thresholdMs)}`,
          evidence: { conversations, thresholdMs, moreThan },
          time: formatInstant(window.untilUnixNano),
        },
      ];
    },
  };
}
