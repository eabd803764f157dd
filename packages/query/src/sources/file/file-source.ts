import { stat } from 'node:fs/promises';
import { MemorySource } from '../../engines/memory/memory-source.ts';
import { SourceError } from '../../errors.ts';
import type { Answer } from '../../model/coverage.ts';
import type { SpanRecord } from '../../model/span-record.ts';
import { decodeOtlpJson } from '../../otlp/read-span.ts';
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
import { formatByFirstBytes, formatByKeys, isOtlpRequest, NOT_JSON, readDocuments, readLinesAt } from './read-file.ts';
import type { ForeignFormat, LinePlace } from './read-file.ts';

/** A collector's batches are a few MB; beyond 256 MiB a line comes near what a string can hold. */
const MAX_DOCUMENT_BYTES = 268_435_456;

/** How many unreadable documents are named; further ones are counted. */
const MAX_NAMED = 10;

/**
 * Opens a file of OTLP/JSON: `ExportTraceServiceRequest`s one a line, as the collector's file exporter writes them,
 * pretty-printed, or in an array. What cannot be read is skipped, named in the warnings, and makes the answers incomplete.
 *
 * @throws `SourceError` `UNREACHABLE` when there is no such file; questions reject in the same way when it cannot be
 *   read, and with `NOT_OTLP` when nothing in it is a request of traces.
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
    `Cannot read ${path}: ${reason}. Give a file of OTLP/JSON, as the collector's file exporter writes it.`,
    { cause },
  );
}

/**
 * Hands the spans of each document to `take`, without texts. One that cannot be read is passed over. Returns a sentence
 * for each of the first of those, then how many more there were. Rejects with the system's error when the file cannot be
 * read.
 * @throws `SourceError` `NOT_OTLP` when the file holds something, and none of it is a request of traces.
 */
async function readSlimSpans(
  path: string,
  take: (spans: readonly SpanRecord[], place: LinePlace) => void,
): Promise<string[]> {
  const unread: string[] = [];
  let unnamed = 0;
  let readRequests = 0;
  let foreign: ForeignFormat | undefined;
  for await (const { firstLine, lastLine, place, text = '', unreadable } of readDocuments(path, MAX_DOCUMENT_BYTES)) {
    const { spans, requests, problem, format } =
      unreadable === undefined ? decodeDocument(text, 'slim') : { ...NOTHING, problem: unreadable, format: NOT_JSON };
    readRequests += requests;
    foreign ??= format;
    if (spans.length > 0) take(spans, place);
    if (problem === undefined) continue;
    const lines =
      firstLine === lastLine ? `Line ${firstLine} of ${path} was` : `Lines ${firstLine} to ${lastLine} of ${path} were`;
    if (unread.length < MAX_NAMED) unread.push(`${lines} skipped: ${problem}.`);
    else unnamed += 1;
  }
  if (readRequests === 0 && foreign !== undefined) {
    const { looksLike, next } = (await formatByFirstBytes(path)) ?? foreign;
    throw new SourceError('NOT_OTLP', `Nothing in ${path} can be read as spans: it looks like ${looksLike}. ${next}`);
  }
  if (unnamed > 0) unread.push(`${unnamed} more lines of ${path} were skipped.`);
  return unread;
}

/** The spans of the documents at `places`, in their order. Rejects with the system's error when the file cannot be read. */
async function readWholeSpansAt(path: string, places: readonly LinePlace[]): Promise<SpanRecord[]> {
  const documents = await readLinesAt(path, places);
  return documents.flatMap((text) => {
    const whole = decodeDocument(text, 'whole');
    // Where only what no answer reads is malformed, the document has been counted, so it is shown as far as it can be.
    return whole.problem === undefined ? whole.spans : decodeDocument(text, 'slim').spans;
  });
}

/** One document of a file as it was read. */
interface Decoded {
  spans: SpanRecord[];
  /** How many requests of traces it holds that could be read. */
  requests: number;
  /** Why the document, or a part of it, cannot be read. */
  problem?: string | undefined;
  /** What the unreadable part looks like. */
  format?: ForeignFormat | undefined;
}

const NOTHING: Decoded = { spans: [], requests: 0 };

/** Reads one request, or an array of them. */
function decodeDocument(text: string, detail: SpanDetail): Decoded {
  if (text.trim() === '') return NOTHING;
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    return { ...NOTHING, problem: `it is not valid JSON (${(error as Error).message})`, format: NOT_JSON };
  }
  const decoded: Decoded = { spans: [], requests: 0 };
  for (const request of Array.isArray(document) ? (document as unknown[]) : [document]) {
    if (!isOtlpRequest(request)) {
      decoded.format ??= formatByKeys(request);
      decoded.problem ??= `it looks like ${decoded.format.looksLike}`;
      continue;
    }
    try {
      const isOfTraces = 'resourceSpans' in request || Object.keys(request).length === 0;
      for (const span of decodeOtlpJson(request, detail)) decoded.spans.push(span);
      if (isOfTraces) decoded.requests += 1;
      else decoded.format ??= formatByKeys(request);
    } catch (error) {
      if (!(error instanceof OtlpFormatError)) throw error;
      decoded.problem ??= error.message;
      decoded.format ??= { looksLike: `OTLP/JSON with a mistake (${error.message})`, next: 'Check what wrote it.' };
    }
  }
  return decoded;
}
