import { stat } from 'node:fs/promises';
import { MemorySource } from '../../engines/memory/memory-source.ts';
import type { Answer } from '../../model/coverage.ts';
import type { SpanRecord } from '../../model/span-record.ts';
import { decodeOtlpJson } from '../../otlp/decode-otlp-json.ts';
import { OtlpFormatError } from '../../otlp/json-fields.ts';
import type { SpanDetail } from '../../otlp/read-span.ts';
import type {
  AnyQuestion,
  ConversationSource,
  ConversationSpans,
  Question,
  QuestionName,
  Questions,
} from '../../questions.ts';
import { SourceError } from '../../source-error.ts';
import { readLines, readLinesAt } from './read-lines.ts';
import type { LinePlace } from './read-lines.ts';

/** A collector's batches are a few MB; beyond 256 MiB a line comes near what a string can hold. */
const MAX_LINE_BYTES = 268_435_456;

/** How many unreadable lines are named; further ones are counted. */
const MAX_LINES_NAMED = 10;

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
    const spans = await this.#orUnreachable(readWholeSpansAt(this.location, placesByTrace.get(traceId)!));
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
    const take = (spans: readonly SpanRecord[], place: LinePlace): void => {
      for (const span of spans) {
        slimSpans.push(span);
        const places = placesByTrace.get(span.traceId);
        if (places === undefined) placesByTrace.set(span.traceId, [place]);
        else if (places.at(-1) !== place) places.push(place);
      }
    };
    const unread = await this.#orUnreachable(readSlimSpans(this.location, take));
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

/**
 * Hands the spans of each line to `take`, without texts. A line that cannot be read is passed over. Returns a sentence
 * for each of the first of those, then how many more there were. Rejects with the system's error when the file cannot be
 * read.
 */
async function readSlimSpans(
  path: string,
  take: (spans: readonly SpanRecord[], place: LinePlace) => void,
): Promise<string[]> {
  const unread: string[] = [];
  let unnamed = 0;
  for await (const { lineNumber, place, text = '', unreadable } of readLines(path, MAX_LINE_BYTES)) {
    const spans = unreadable ?? decodeLine(text, 'slim');
    if (typeof spans !== 'string') take(spans, place);
    else if (unread.length < MAX_LINES_NAMED) unread.push(`Line ${lineNumber} of ${path} was skipped: ${spans}.`);
    else unnamed += 1;
  }
  if (unnamed > 0) unread.push(`${unnamed} more lines of ${path} were skipped.`);
  return unread;
}

/** The spans of the lines at `places`, in their order. Rejects with the system's error when the file cannot be read. */
async function readWholeSpansAt(path: string, places: readonly LinePlace[]): Promise<SpanRecord[]> {
  const lines = await readLinesAt(path, places);
  return lines.flatMap((text) => {
    const whole = decodeLine(text, 'whole');
    // Where only what no answer reads is malformed, the line has been counted, so it is shown as far as it can be.
    const spans = typeof whole === 'string' ? decodeLine(text, 'slim') : whole;
    return typeof spans === 'string' ? [] : spans;
  });
}

/** Returns the spans, or why the line cannot be read. */
function decodeLine(text: string, detail: SpanDetail): SpanRecord[] | string {
  if (text.trim() === '') return [];
  try {
    return decodeOtlpJson(JSON.parse(text), detail);
  } catch (error) {
    if (error instanceof SyntaxError) return `it is not valid JSON (${error.message})`;
    if (error instanceof OtlpFormatError) return error.message;
    throw error;
  }
}
