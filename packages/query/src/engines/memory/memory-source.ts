import type { Answer } from '../../model/coverage.ts';
import type { SpanRecord } from '../../model/span-record.ts';
import { askEngine } from '../../questions.ts';
import type { ConversationSource, Engine, Question, QuestionName, Questions, SourceKind } from '../../questions.ts';
import { errorAnswers } from './common-errors.ts';
import { conversationAnswers } from './conversations.ts';
import { stepAnswers } from './steps.ts';
import { groupIntoTraces } from './traces.ts';
import type { Trace } from './traces.ts';

/** The questions in plain TypeScript over traces in memory: the reference that other engines are tested against. */
const memoryEngine: Engine<readonly Trace[]> = { ...conversationAnswers, ...stepAnswers, ...errorAnswers };

/** How a {@link MemorySource} presents itself. */
export interface MemorySourceOptions {
  /** Where the spans came from. @defaultValue `memory` */
  kind?: SourceKind | undefined;
  /** Address or path, as a person would write it. @defaultValue `memory` */
  location?: string | undefined;
  /** What could not be read, and why; each is a warning, and any makes every answer incomplete. @defaultValue none */
  unread?: readonly string[] | undefined;
}

/** Answers from spans in memory; also the engine behind sources that only hand over spans. */
export class MemorySource implements ConversationSource {
  readonly kind: SourceKind;
  readonly location: string;
  readonly #traces: readonly Trace[];
  readonly #unread: readonly string[];

  /** @param spans In the order of reading; copies are allowed. They are kept, and must not be changed afterwards. */
  constructor(spans: Iterable<SpanRecord>, options: MemorySourceOptions = {}) {
    const { kind = 'memory', location = 'memory', unread = [] } = options;
    this.kind = kind;
    this.location = location;
    this.#unread = unread;
    this.#traces = groupIntoTraces(spans);
  }

  async ask<Name extends QuestionName>(question: Question<Name>): Promise<Answer<Questions[Name]['answer']>> {
    const { data, coverage } = await askEngine(memoryEngine, this.#traces, question);
    const complete = this.#unread.length === 0;
    const unread = this.#unread.map((text) => ({ code: 'unread' as const, text }));
    return { data, coverage: { ...coverage, complete, warnings: [...unread, ...coverage.warnings] } };
  }

  async close(): Promise<void> {}
}
