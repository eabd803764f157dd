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

/** A collector's batches are a few MB; a line beyond 256 MiB would approach the maximum length of a string. */
const MAX_DOCUMENT_BYTES = 268_435_456;

/** Maximum number of unreadable documents that get a warning each; the rest are only counted. */
const MAX_NAMED = 10;

/**
 * Opens a file of OTLP/JSON: `ExportTraceServiceRequest`s one per line, as the collector's file exporter writes them,
 * pretty-printed, or in an array. Parts that cannot be read are skipped, reported in the warnings, and make the answers
 * incomplete.
 *
 * @throws `SourceError` `UNREACHABLE` if there is no such file; questions reject in the same way if it cannot be read,
 *   and with `NOT_OTLP` if it contains no trace request.
 */
export async function openFileSource(path: string): Promise<ConversationSource> {
  await versionOf(path);
  return new FileSource(path);
}

/** The decoded file. */
interface FileContents {
  /** Contains slim spans; see {@link SpanDetail}. */
  source: MemorySource;
  /** The lines that contain spans of each trace. */
  placesByTrace: ReadonlyMap<string, LinePlace[]>;
}

/**
 * Reads the file at the first question, and again after it has changed. A slim span takes about half a kilobyte of
 * memory; the texts of a single conversation are read from its lines when they are asked for.
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

  /** Reads the lines of the conversation again, because the spans in memory have no texts. */
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
      // The next question reads again.
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

/** A string that changes whenever the file does. */
async function versionOf(path: string): Promise<string> {
  try {
    const { ino, size, mtimeNs } = await stat(path, { bigint: true });
    return `${ino} ${size} ${mtimeNs}`;
  } catch (error) {
    throw unreachable(path, error);
  }
}

/** Converts an error of the file system to a `SourceError`; returns any other error itself. */
function unreachable(path: string, cause: unknown): unknown {
  const { code, message, syscall } = cause as NodeJS.ErrnoException;
  if (syscall === undefined) return cause;
  const reason = code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'it is a folder' : message;
  return new SourceError(
    'UNREACHABLE',
    `Cannot read ${path}: ${reason}. Give a file of OTLP/JSON, as the collector's file exporter writes it.`,
    { cause },
  );
}

/**
 * Passes the slim spans of each document to `take`, and skips documents that cannot be read. Returns a warning for each
 * of the first {@link MAX_NAMED} of those, then one with the number of the others. Rejects with the system's error if
 * the file cannot be read.
 * @throws `SourceError` `NOT_OTLP` if the file is not empty and contains no trace request.
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

/**
 * The spans of the documents at `places`, in that order. Rejects with the system's error if the file cannot be read.
 */
async function readWholeSpansAt(path: string, places: readonly LinePlace[]): Promise<SpanRecord[]> {
  const documents = await readLinesAt(path, places);
  return documents.flatMap((text) => {
    const whole = decodeDocument(text, 'whole');
    // The slim decoder does not check all fields, so a document that was counted may be invalid here; then its slim
    // spans are used.
    return whole.problem === undefined ? whole.spans : decodeDocument(text, 'slim').spans;
  });
}

/** One decoded document of a file. */
interface Decoded {
  spans: SpanRecord[];
  /** Number of valid trace requests in it. */
  requests: number;
  /** Why the document, or a part of it, could not be read. */
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
      decoded.format ??= {
        looksLike: `invalid OTLP/JSON (${error.message})`,
        next: 'Check the program that wrote it.',
      };
    }
  }
  return decoded;
}
