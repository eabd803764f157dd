import type { Conversation } from '../../model/conversation.ts';
import type { Answer, Coverage } from '../../model/coverage.ts';
import type { SpanRecord } from '../../model/span-record.ts';
import type {
  CommonError,
  CommonErrorsQuestion,
  ConversationCount,
  ConversationCountsQuestion,
  ConversationSource,
  ConversationsQuestion,
  FoundConversation,
  SourceKind,
  StepDurations,
  StepDurationsQuestion,
  StepStatistics,
  StepStatisticsQuestion,
} from '../../questions.ts';
import { chooseTraces } from './choose-traces.ts';
import { countConversations } from './count-conversations.ts';
import { coverSpans } from './cover-spans.ts';
import { findConversation } from './find-conversation.ts';
import { gatherCommonErrors } from './gather-common-errors.ts';
import { gatherStepDurations } from './gather-step-durations.ts';
import { gatherStepStatistics } from './gather-step-statistics.ts';
import { listConversations } from './list-conversations.ts';
import { groupIntoTraces } from './trace.ts';
import type { Trace } from './trace.ts';

/** How a {@link MemorySource} presents itself. */
export interface MemorySourceOptions {
  /** Where the spans came from. @defaultValue `memory` */
  kind?: SourceKind;
  /** Address or path, as a person would write it. @defaultValue `memory` */
  location?: string;
  /** What could not be read, and why; each is a warning, and any makes every answer incomplete. @defaultValue none */
  unread?: readonly string[];
}

/**
 * Answers the six questions from spans in memory, in plain TypeScript: the reference that other engines are tested
 * against, and the engine behind sources that only hand over spans.
 */
export class MemorySource implements ConversationSource {
  readonly kind: SourceKind;
  readonly location: string;
  readonly #traces: readonly Trace[];
  readonly #unread: readonly string[];

  /** @param spans In the order of reading; copies are welcome. They are kept, and must not be changed afterwards. */
  constructor(spans: Iterable<SpanRecord>, options: MemorySourceOptions = {}) {
    const { kind = 'memory', location = 'memory', unread = [] } = options;
    this.kind = kind;
    this.location = location;
    this.#unread = unread;
    this.#traces = groupIntoTraces(spans);
  }

  async conversation(conversationId: string): Promise<Answer<FoundConversation>> {
    const data = findConversation(this.#traces, conversationId);
    const found = data.spans.length === 0 ? [] : [{ traceId: data.spans[0]!.traceId, spans: data.spans }];
    return this.#answer(data, coverSpans(found, undefined));
  }

  async conversations(question: ConversationsQuestion): Promise<Answer<Conversation[]>> {
    const traces = chooseTraces(this.#traces, question.filters);
    const listed = listConversations(traces, question);
    const coverage = question.order === 'newest' ? coverSpans(listed, undefined) : coverSpans(traces, question.window);
    return this.#answer(
      listed.map(({ conversation }) => conversation),
      coverage,
    );
  }

  async stepStatistics(question: StepStatisticsQuestion): Promise<Answer<StepStatistics[]>> {
    return this.#answerInWindow(question, gatherStepStatistics);
  }

  async conversationCounts(question: ConversationCountsQuestion): Promise<Answer<ConversationCount[]>> {
    return this.#answerInWindow(question, countConversations);
  }

  async commonErrors(question: CommonErrorsQuestion): Promise<Answer<CommonError[]>> {
    return this.#answerInWindow(question, gatherCommonErrors);
  }

  async stepDurations(question: StepDurationsQuestion): Promise<Answer<StepDurations>> {
    return this.#answerInWindow(question, gatherStepDurations);
  }

  async close(): Promise<void> {}

  #answerInWindow<Question extends StepDurationsQuestion, Data>(
    question: Question,
    gather: (traces: readonly Trace[], question: Question) => Data,
  ): Answer<Data> {
    const traces = chooseTraces(this.#traces, question.filters);
    return this.#answer(gather(traces, question), coverSpans(traces, question.window));
  }

  #answer<Data>(data: Data, coverage: Coverage): Answer<Data> {
    return {
      data,
      coverage: {
        ...coverage,
        complete: this.#unread.length === 0,
        warnings: [...this.#unread, ...coverage.warnings],
      },
    };
  }
}
