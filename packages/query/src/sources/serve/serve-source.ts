import type { Conversation } from '../../model/conversation.ts';
import type { Answer } from '../../model/coverage.ts';
import type {
  CommonError,
  CommonErrorsQuestion,
  ConversationCount,
  ConversationCountsQuestion,
  ConversationSource,
  ConversationsQuestion,
  FoundConversation,
  StepDurations,
  StepDurationsQuestion,
  StepStatistics,
  StepStatisticsQuestion,
} from '../../questions.ts';
import { quoteAnswer, reasonOfFailure } from '../foreign-answer.ts';
import { httpGet, readHttpBody, type HttpResponse } from '../http-get.ts';
import { SourceError } from '../source-error.ts';
import type { AnswerData } from './ask-source.ts';
import { decodeAnswer } from './decode-answer.ts';
import { encodeQuestion } from './encode-question.ts';
import { AnswerFormatError } from './json-readers.ts';
import type { Question } from './question.ts';

/** How a {@link ServeSource} asks. */
export interface ServeSourceOptions {
  /** How long one answer may take, in milliseconds. @defaultValue `30_000` */
  timeoutMs?: number;
}

/** Asks a running `convotel serve` over HTTP. */
export class ServeSource implements ConversationSource {
  readonly kind = 'serve';
  readonly location: string;
  readonly #timeoutMs: number;

  /** @param address Such as `http://127.0.0.1:4318`; a path in it is not looked at. */
  constructor(address: string, options: ServeSourceOptions = {}) {
    this.location = address;
    this.#timeoutMs = options.timeoutMs ?? 30_000;
  }

  conversation(conversationId: string): Promise<Answer<FoundConversation>> {
    return this.#ask({ name: 'conversation', conversationId });
  }

  conversations(question: ConversationsQuestion): Promise<Answer<Conversation[]>> {
    return this.#ask({ name: 'conversations', ...question });
  }

  stepStatistics(question: StepStatisticsQuestion): Promise<Answer<StepStatistics[]>> {
    return this.#ask({ name: 'step-statistics', ...question });
  }

  conversationCounts(question: ConversationCountsQuestion): Promise<Answer<ConversationCount[]>> {
    return this.#ask({ name: 'conversation-counts', ...question });
  }

  commonErrors(question: CommonErrorsQuestion): Promise<Answer<CommonError[]>> {
    return this.#ask({ name: 'common-errors', ...question });
  }

  stepDurations(question: StepDurationsQuestion): Promise<Answer<StepDurations>> {
    return this.#ask({ name: 'step-durations', ...question });
  }

  async close(): Promise<void> {}

  async #ask<Name extends Question['name']>(
    question: Extract<Question, { name: Name }>,
  ): Promise<Answer<AnswerData[Name]>> {
    const deadline = AbortSignal.timeout(this.#timeoutMs);
    const response = await this.#get(encodeQuestion(question), deadline);
    const text = await this.#readBody(response, deadline);
    if (response.status === 503) {
      throw new SourceError(
        'UNREACHABLE',
        `${this.location} cannot answer at present: ${quoteAnswer(text)} Try again soon.`,
      );
    }
    if (response.status !== 200) {
      throw this.#wrongAnswer(`answered with status ${response.status}: ${quoteAnswer(text)}`);
    }
    const contentType = response.headers['content-type'] ?? 'no content type';
    if (!contentType.startsWith('application/json')) {
      throw this.#wrongAnswer(`answered with ${contentType}, not JSON`);
    }
    try {
      return decodeAnswer<Name>(question, text);
    } catch (error) {
      if (!(error instanceof AnswerFormatError)) throw error;
      throw this.#wrongAnswer(`sent what is no answer to ${question.name}: ${error.message}`, error);
    }
  }

  async #get(pathAndQuery: string, deadline: AbortSignal): Promise<HttpResponse> {
    try {
      return await httpGet(new URL(pathAndQuery, this.location), { signal: deadline });
    } catch (error) {
      if (deadline.aborted) throw this.#tooSlow(error);
      throw new SourceError(
        'UNREACHABLE',
        `Nobody answers at ${this.location}: ${reasonOfFailure(error)}. Start \`convotel serve\`, or name another place to read from.`,
        { cause: error },
      );
    }
  }

  async #readBody(response: HttpResponse, deadline: AbortSignal): Promise<string> {
    try {
      return await readHttpBody(response);
    } catch (error) {
      if (deadline.aborted) throw this.#tooSlow(error);
      throw this.#wrongAnswer(`broke off its answer: ${reasonOfFailure(error)}`, error);
    }
  }

  #tooSlow(cause: unknown): SourceError {
    return new SourceError(
      'UNREACHABLE',
      `${this.location} has not answered within ${this.#timeoutMs / 1000} s. Ask for a shorter time, or see whether it is overloaded.`,
      { cause },
    );
  }

  #wrongAnswer(what: string, cause?: unknown): SourceError {
    return new SourceError(
      'WRONG_ANSWER',
      `${this.location} ${what}. Is a \`convotel serve\` of this version running there?`,
      { cause },
    );
  }
}
