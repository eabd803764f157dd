import { SourceError, type ConversationSource } from '@convotel/query';
import {
  decodeQuestion,
  encodeAnswer,
  QUESTION_NAMES,
  QUESTION_PATH_PREFIX,
  QuestionFormatError,
} from '@convotel/query/engine';
import { LocalError } from '../local-error.ts';
import type { Route } from './create-server.ts';
import { HttpRefusal } from './http-refusal.ts';
import type { Precedence } from './precedence.ts';

/** One route a question, `GET /api/v1/<name>`, answered by `source` before what gives way to it. */
export function questionRoutes(source: ConversationSource, precedence: Precedence): [path: string, route: Route][] {
  return QUESTION_NAMES.map((name) => [
    QUESTION_PATH_PREFIX + name,
    { method: 'GET', handle: (_request, url) => precedence.goFirst(() => answerQuestion(source, url)) },
  ]);
}

async function answerQuestion(source: ConversationSource, url: URL): Promise<{ contentType: string; body: string }> {
  try {
    const question = decodeQuestion(url);
    return { contentType: 'application/json', body: encodeAnswer(question, await source.ask(question)) };
  } catch (error) {
    if (error instanceof QuestionFormatError) throw new HttpRefusal(400, error.message, {}, { cause: error });
    if (error instanceof SourceError || error instanceof LocalError)
      throw new HttpRefusal(503, error.message, {}, { cause: error });
    throw error;
  }
}
