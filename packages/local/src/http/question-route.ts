import { SourceError, type ConversationSource } from '@convotel/query';
import {
  decodeQuestion,
  encodedParts,
  mapInSlices,
  QUESTION_NAMES,
  QUESTION_PATH_PREFIX,
  QuestionFormatError,
} from '@convotel/query/engine';
import { LocalError } from '../local-error.ts';
import type { ForegroundGate } from './foreground-gate.ts';
import { HttpRefusal, type Route } from './http-answer.ts';

/** One route a question, `GET /api/v1/<name>`, answered by `source` before bulk work. */
export function questionRoutes(source: ConversationSource, gate: ForegroundGate): [path: string, route: Route][] {
  return QUESTION_NAMES.map((name) => [
    QUESTION_PATH_PREFIX + name,
    { method: 'GET', right: 'read', handle: (_request, url) => gate.runFirst(() => answerQuestion(source, url)) },
  ]);
}

async function answerQuestion(source: ConversationSource, url: URL): Promise<{ contentType: string; body: string }> {
  try {
    const question = decodeQuestion(url);
    // Two characters that may stand in JSON but end a line in a script.
    const escaped = (part: string): string => part.replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029');
    const parts = await mapInSlices(encodedParts(question, await source.ask(question)), escaped);
    return { contentType: 'application/json', body: parts.join('') };
  } catch (error) {
    if (error instanceof QuestionFormatError) throw new HttpRefusal(400, error.message, {}, { cause: error });
    if (error instanceof SourceError || error instanceof LocalError)
      throw new HttpRefusal(503, error.message, {}, { cause: error });
    throw error;
  }
}
