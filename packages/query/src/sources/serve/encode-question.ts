import type { AnyQuestion } from '../../questions.ts';
import { formatInstant } from '../../time/instant.ts';
import type { ConversationFilters } from '../../model/filters.ts';
import type { Window } from '../../model/window.ts';
import { QUESTION_PATH_PREFIX } from './question.ts';

type Parameter = [name: string, value: string | number | bigint | boolean | undefined];

/**
 * Path and query of a question, readable in a browser: `/api/v1/step-statistics?since=…&until=…&quantile=0.5`.
 * Instants are RFC 3339 in UTC with 9 decimals.
 */
export function encodeQuestion(question: AnyQuestion): string {
  const query = new URLSearchParams();
  for (const [name, value] of parametersOf(question)) {
    if (value !== undefined) query.append(name, String(value));
  }
  // A colon needs no escape in a query (RFC 3986, section 3.4), and times read better with it.
  return `${QUESTION_PATH_PREFIX}${question.name}?${query.toString().replaceAll('%3A', ':')}`;
}

function parametersOf(question: AnyQuestion): Parameter[] {
  switch (question.name) {
    case 'conversation':
      return [['id', question.conversationId]];
    case 'conversations':
      return [
        ...parametersOfChoice(question),
        ['order', question.order],
        ['limit', question.limit],
        ['completedAboveNano', question.completedAboveNano],
      ];
    case 'step-statistics':
      return [
        ...parametersOfChoice(question),
        ['step', question.step],
        ['timings', question.timings],
        ...(question.quantiles ?? []).map((quantile): Parameter => ['quantile', quantile]),
      ];
    case 'conversation-counts':
      return [...parametersOfChoice(question), ['by', question.by], ['timeZone', question.timeZone]];
    case 'common-errors':
      return [...parametersOfChoice(question), ['limit', question.limit]];
    case 'step-durations':
      return parametersOfChoice(question);
  }
}

function parametersOfChoice({ window, filters }: { window?: Window; filters?: ConversationFilters }): Parameter[] {
  return [
    ['since', window && formatInstant(window.sinceUnixNano, 9)],
    ['until', window && formatInstant(window.untilUnixNano, 9)],
    ['service', filters?.service],
    ['workflow', filters?.workflow],
    ['session', filters?.session],
    ['outcome', filters?.outcome],
  ];
}
