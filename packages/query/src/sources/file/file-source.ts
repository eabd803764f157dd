import { stat } from 'node:fs/promises';
import type { Answer } from '../../model/coverage.ts';
import type { SpanRecord } from '../../model/span-record.ts';
import { MemorySource } from '../memory-source.ts';
import type {
  AnyQuestion,
  ConversationSource,
  ConversationSpans,
  Question,
  QuestionName,
  Questions,
} from '../../questions.ts';
import { SourceError } from '../source-error.ts';
import type { LinePlace } from './read-lines.ts';
import { readSpans, readSpansAt } from './read-spans.ts';
import type { SpansOfLine } from './read-spans.ts';

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

/** A file as it was read. */
interface FileContents {
  /** Over the spans without their texts and without what no answer reads. */
  source: MemorySource;
  /** The lines in which each trace has spans. */
  placesByTrace: ReadonlyMap<string, LinePlace[]>;
}

/**
 * Reads the file when the first question comes, and again when it has changed since. Without texts and whatever no
 * answer reads, a span takes about half a kilobyte of memory; for the one conversation asked for, its lines are read
 * again.
 */
class FileSource implements ConversationSource {
  readonly kind = 'file';
  readonly location: string;
  #reading: { version: string; contents: Promise<FileContents> } | undefined;

  constructor(path: string) {
    this.location = path;
  }

  async ask<Name extends QuestionName>(question: Question<Name>): Promise<Answer<Questions[Name]['answer']>>;
  async ask(question: AnyQuestion): Promise<Answer<unknown>> {
    const contents = await this.#read();
    if (question.name !== 'conversation') return contents.source.ask(question);
    return this.#readWholeConversation(contents, question);
  }

  /** The lines of the conversation are read again, because what is kept in memory has no texts. */
  async #readWholeConversation(
    { source, placesByTrace }: FileContents,
    question: Question<'conversation'>,
  ): Promise<Answer<ConversationSpans>> {
    const answer = await source.ask(question);
    const traceId = answer.data.spans[0]?.traceId;
    if (traceId === undefined) return answer;
    const spans = await this.#orUnreachable(readSpansAt(this.location, placesByTrace.get(traceId)!));
    const whole = new MemorySource(spans.filter((span) => span.traceId === traceId));
    const { data } = await whole.ask({ name: 'conversation', conversationId: traceId });
    return { ...answer, data: { ...answer.data, spans: data.spans } };
  }

  async close(): Promise<void> {
    this.#reading = undefined;
  }

  async #read(): Promise<FileContents> {
    const version = await versionOf(this.location);
    if (this.#reading?.version !== version) this.#reading = { version, contents: this.#readWhole() };
    const reading = this.#reading;
    try {
      return await reading.contents;
    } catch (error) {
      // The next question tries again.
      if (this.#reading === reading) this.#reading = undefined;
      throw error;
    }
  }

  async #readWhole(): Promise<FileContents> {
    const slimSpans: SpanRecord[] = [];
    const placesByTrace = new Map<string, LinePlace[]>();
    const take = ({ spans, place }: SpansOfLine): void => {
      for (const { rest: _rest, inputText: _input, outputText: _output, ...slim } of spans) {
        slimSpans.push(slim);
        const places = placesByTrace.get(slim.traceId);
        if (places === undefined) placesByTrace.set(slim.traceId, [place]);
        else if (places.at(-1) !== place) places.push(place);
      }
    };
    const unread = await this.#orUnreachable(readSpans(this.location, take));
    const source = new MemorySource(slimSpans, { kind: this.kind, location: this.location, unread });
    return { source, placesByTrace };
  }

  async #orUnreachable<Result>(reading: Promise<Result>): Promise<Result> {
    try {
      return await reading;
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
  const { code, message, syscall } = cause as NodeJS.ErrnoException;
  if (syscall === undefined) return cause;
  const reason = code === 'ENOENT' ? 'there is no such file' : message;
  return new SourceError(
    'UNREACHABLE',
    `Cannot read ${path}: ${reason}. Give a file of OTLP/JSON lines, as the collector's file exporter writes it.`,
    { cause },
  );
}
