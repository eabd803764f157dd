import { stat } from 'node:fs/promises';
import type { Conversation } from '../../model/conversation.ts';
import type { Answer } from '../../model/coverage.ts';
import type { SpanRecord } from '../../model/span-record.ts';
import { MemorySource } from '../memory/memory-source.ts';
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
} from '../conversation-source.ts';
import { SourceError } from '../source-error.ts';
import { readSpans } from './read-spans.ts';

/**
 * Opens a file of OTLP/JSON lines, one `ExportTraceServiceRequest` a line, as the collector's file exporter writes it.
 * A line that cannot be read is skipped, named in the warnings, and makes the answers incomplete.
 *
 * @throws `SourceError` `UNREACHABLE` when there is no such file; questions reject in the same way when it cannot be
 *   read.
 */
export async function openFileSource(path: string): Promise<ConversationSource> {
  await versionOf(path);
  return new FileSource(path);
}

/**
 * Reads the file when the first question comes, and again when it has changed since. Without texts and whatever no
 * answer reads, a span takes about half a kilobyte of memory; texts are read again for the one conversation asked for.
 */
class FileSource implements ConversationSource {
  readonly kind = 'file';
  readonly location: string;
  #reading: { version: string; spans: Promise<MemorySource> } | undefined;

  constructor(path: string) {
    this.location = path;
  }

  async conversation(conversationId: string): Promise<Answer<FoundConversation>> {
    const answer = await (await this.#read()).conversation(conversationId);
    const traceId = answer.data.spans[0]?.traceId;
    if (traceId === undefined) return answer;
    const spans: SpanRecord[] = [];
    await this.#readSpans((span) => {
      if (span.traceId === traceId) spans.push(span);
    });
    const whole = await new MemorySource(spans).conversation(traceId);
    return { data: { ...answer.data, spans: whole.data.spans }, coverage: answer.coverage };
  }

  async conversations(question: ConversationsQuestion): Promise<Answer<Conversation[]>> {
    return (await this.#read()).conversations(question);
  }

  async stepStatistics(question: StepStatisticsQuestion): Promise<Answer<StepStatistics[]>> {
    return (await this.#read()).stepStatistics(question);
  }

  async conversationCounts(question: ConversationCountsQuestion): Promise<Answer<ConversationCount[]>> {
    return (await this.#read()).conversationCounts(question);
  }

  async commonErrors(question: CommonErrorsQuestion): Promise<Answer<CommonError[]>> {
    return (await this.#read()).commonErrors(question);
  }

  async stepDurations(question: StepDurationsQuestion): Promise<Answer<StepDurations>> {
    return (await this.#read()).stepDurations(question);
  }

  async close(): Promise<void> {
    this.#reading = undefined;
  }

  async #read(): Promise<MemorySource> {
    const version = await versionOf(this.location);
    if (this.#reading?.version !== version) this.#reading = { version, spans: this.#readWhole() };
    const reading = this.#reading;
    try {
      return await reading.spans;
    } catch (error) {
      // The next question tries again.
      if (this.#reading === reading) this.#reading = undefined;
      throw error;
    }
  }

  async #readWhole(): Promise<MemorySource> {
    const spans: SpanRecord[] = [];
    const unread = await this.#readSpans(({ rest: _rest, inputText: _input, outputText: _output, ...slim }) => {
      spans.push(slim);
    });
    return new MemorySource(spans, { kind: this.kind, location: this.location, unread });
  }

  async #readSpans(take: (span: SpanRecord) => void): Promise<string[]> {
    try {
      return await readSpans(this.location, take);
    } catch (error) {
      throw unreachable(this.location, error);
    }
  }
}

/** Changes whenever the file does. */
async function versionOf(path: string): Promise<string> {
  try {
    const { ino, size, mtimeNs } = await stat(path, { bigint: true });
    return `${ino} ${size} ${mtimeNs}`;
  } catch (error) {
    throw unreachable(path, error);
  }
}

/** What to throw for `cause`: itself, unless the system refused. */
function unreachable(path: string, cause: unknown): unknown {
  if (!(cause instanceof Error && 'syscall' in cause)) return cause;
  const { code, message } = cause as NodeJS.ErrnoException;
  const reason = code === 'ENOENT' ? 'there is no such file' : message;
  return new SourceError(
    'UNREACHABLE',
    `Cannot read ${path}: ${reason}. Give a file of OTLP/JSON lines, as the collector's file exporter writes it.`,
    { cause },
  );
}
