import type { AnyQuestion } from '../../questions.ts';
import { OUTCOMES } from '@convotel/conventions';
import type { ConversationOutcome } from '../../model/conversation.ts';
import type { ConversationFilters } from '../../model/filters.ts';
import type { Window } from '../../model/window.ts';
import { parseInstant } from '../../time/instant.ts';
import { zoneOffsetSeconds } from '../../time/time-zone.ts';
import { QuestionParameters } from './question-parameters.ts';
import { MAX_QUESTION_LIMIT, MAX_QUESTION_QUANTILES, QUESTION_PATH_PREFIX, QuestionFormatError } from './question.ts';

const CONVERSATION_OUTCOMES: readonly ConversationOutcome[] = [...OUTCOMES, 'open'];

/**
 * The question that `encodeQuestion` made `url` of. Strict: what it does not know, it refuses.
 *
 * @throws {@link QuestionFormatError} for an unknown question or parameter, a missing, repeated or malformed one, a
 *   limit above {@link MAX_QUESTION_LIMIT} and more than {@link MAX_QUESTION_QUANTILES} ranks.
 */
export function decodeQuestion(url: URL): AnyQuestion {
  if (!url.pathname.startsWith(QUESTION_PATH_PREFIX)) {
    throw new QuestionFormatError(`questions start with ${QUESTION_PATH_PREFIX}, not ${url.pathname}`);
  }
  const parameters = new QuestionParameters(url.searchParams);
  const question = readQuestion(url.pathname.slice(QUESTION_PATH_PREFIX.length), parameters);
  parameters.refuseUnread();
  return question;
}

function readQuestion(name: string, parameters: QuestionParameters): AnyQuestion {
  switch (name) {
    case 'conversation':
      return { name, conversationId: parameters.get('id', asText) };
    case 'conversations': {
      const window = findWindow(parameters);
      const completedAboveNano = parameters.find('completedAboveNano', asNano);
      return {
        name,
        ...(window && { window }),
        ...readFilters(parameters),
        order: parameters.get('order', oneOf(['newest', 'slowest', 'longest'])),
        limit: parameters.get('limit', asLimit),
        ...(completedAboveNano !== undefined && { completedAboveNano }),
      };
    }
    case 'step-statistics': {
      const step = parameters.find('step', asText);
      const timings = parameters.find('timings', asBoolean);
      const quantiles = parameters.all('quantile', asQuantile);
      if (quantiles.length > MAX_QUESTION_QUANTILES) {
        throw new QuestionFormatError(`parameter quantile is given more than ${MAX_QUESTION_QUANTILES} times`);
      }
      return {
        name,
        window: getWindow(parameters),
        ...readFilters(parameters),
        ...(step !== undefined && { step }),
        ...(quantiles.length > 0 && { quantiles }),
        ...(timings !== undefined && { timings }),
      };
    }
    case 'conversation-counts':
      return {
        name,
        window: getWindow(parameters),
        ...readFilters(parameters),
        by: parameters.get('by', oneOf(['hour', 'hourOfDay'])),
        timeZone: parameters.get('timeZone', asTimeZone),
      };
    case 'common-errors':
      return {
        name,
        window: getWindow(parameters),
        ...readFilters(parameters),
        limit: parameters.get('limit', asLimit),
      };
    case 'step-durations':
      return { name, window: getWindow(parameters), ...readFilters(parameters) };
    default:
      throw new QuestionFormatError(`no question is named "${name}"`);
  }
}

function getWindow(parameters: QuestionParameters): Window {
  return { sinceUnixNano: parameters.get('since', parseInstant), untilUnixNano: parameters.get('until', parseInstant) };
}

function findWindow(parameters: QuestionParameters): Window | undefined {
  const isGiven = parameters.find('since', asText) !== undefined || parameters.find('until', asText) !== undefined;
  return isGiven ? getWindow(parameters) : undefined;
}

function readFilters(parameters: QuestionParameters): { filters?: ConversationFilters } {
  const filters: ConversationFilters = {};
  for (const name of ['service', 'workflow', 'session'] as const) {
    const text = parameters.find(name, asText);
    if (text !== undefined) filters[name] = text;
  }
  const outcome = parameters.find('outcome', oneOf(CONVERSATION_OUTCOMES));
  if (outcome !== undefined) filters.outcome = outcome;
  return Object.keys(filters).length === 0 ? {} : { filters };
}

function asText(text: string): string {
  return text;
}

function oneOf<Choice extends string>(choices: readonly Choice[]): (text: string) => Choice {
  return (text) => {
    const choice = choices.find((candidate) => candidate === text);
    if (choice === undefined) throw new QuestionFormatError(`"${text}" is none of ${choices.join(', ')}`);
    return choice;
  };
}

function asBoolean(text: string): boolean {
  return oneOf(['true', 'false'])(text) === 'true';
}

function asLimit(text: string): number {
  const limit = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
  if (!(limit >= 1 && limit <= MAX_QUESTION_LIMIT)) {
    throw new QuestionFormatError(`"${text}" is no whole number from 1 to ${MAX_QUESTION_LIMIT}`);
  }
  return limit;
}

function asQuantile(text: string): number {
  const quantile = /^\d/.test(text) ? Number(text) : Number.NaN;
  if (!(quantile >= 0 && quantile <= 1)) throw new QuestionFormatError(`"${text}" is no number from 0 to 1`);
  return quantile;
}

function asNano(text: string): bigint {
  if (!/^-?\d{1,18}$/.test(text)) throw new QuestionFormatError(`"${text}" is no whole number of nanoseconds`);
  return BigInt(text);
}

/** @throws `TimeError` for a zone that this Node does not know. */
function asTimeZone(text: string): string {
  zoneOffsetSeconds(0, text);
  return text;
}
