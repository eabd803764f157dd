import { isObject, read } from '../../guards/given-values.ts';

/** What was read off a result or its chunks, beside when it was over. Absent where the result does not say it. */
export interface ResultDetails {
  /** Length of the output text, in UTF-16 code units. */
  outputChars?: number;
  /** The output text itself; only where texts may be kept. */
  outputText?: string;
  /** Chunks that were handed on. */
  chunks?: number;
  provider?: string;
  /** Model that answered. */
  model?: string;
  inputTokens?: number;
  outputTokens?: number;
  /** Length of the audio that was transcribed. */
  audioSeconds?: number;
  /** Why the model stopped, in the provider's words, such as `stop` or `max_tokens`. */
  finishReason?: string;
}

/** Which clients' results are recognized. */
export interface RecognizeOptions {
  /** Chat completions, responses, transcriptions, embeddings and their streams. @defaultValue `true` */
  openai?: boolean | undefined;
  /** Messages and their streams. @defaultValue `true` */
  anthropic?: boolean | undefined;
  /** `generateText`, `streamText`, `generateObject` of the Vercel AI SDK. @defaultValue `true` */
  ai?: boolean | undefined;
}

/**
 * What a chunk, or a whole result, of a known client stands for: output text (empty where it carries none), output that
 * is no text, a stop on request, or a failure that is reported and not thrown.
 */
export type Meaning =
  { kind: 'text'; text: string } | { kind: 'output' } | { kind: 'aborted' } | { kind: 'failed'; error: unknown };

export const NOTHING: Meaning = { kind: 'text', text: '' };
export const OUTPUT: Meaning = { kind: 'output' };
export const ABORTED: Meaning = { kind: 'aborted' };

export function textMeaning(text: unknown): Meaning {
  return typeof text === 'string' && text !== '' ? { kind: 'text', text } : NOTHING;
}

/** How results of one client library are recognized by their shape, without importing it. */
export interface Client {
  /**
   * Reads one chunk of a stream into `details`; undefined where the chunk is not this client's. `isKnown` says that an
   * earlier chunk was: then a chunk needs not show by itself whose it is.
   */
  readChunk(chunk: object, details: ResultDetails, isKnown: boolean): Meaning | undefined;
  /** Reads a whole result into `details`; undefined where it is not this client's. */
  readWhole(value: object, details: ResultDetails): Meaning | undefined;
}

/** `source[key]`, where it is an object. */
export function objectAt(source: unknown, key: string): object | undefined {
  const value = isObject(source) ? read(source, key) : undefined;
  return isObject(value) ? value : undefined;
}

export function textAt(source: unknown, key: string): string | undefined {
  const value = isObject(source) ? read(source, key) : undefined;
  return typeof value === 'string' ? value : undefined;
}

export function countAt(source: unknown, key: string): number | undefined {
  const value = isObject(source) ? read(source, key) : undefined;
  return typeof value === 'number' ? value : undefined;
}

export function listAt(source: unknown, key: string): readonly unknown[] {
  const value = isObject(source) ? read(source, key) : undefined;
  return Array.isArray(value) ? value : [];
}

const countedUsages = new WeakSet<object>();

/**
 * `usage`, the first time that it is read: where a step returns what a step inside it returned, the tokens are those of
 * the inner one, and are not counted twice.
 */
export function countedOnce(usage: object | undefined): object | undefined {
  if (usage === undefined || countedUsages.has(usage)) return undefined;
  countedUsages.add(usage);
  return usage;
}

/** Sets what is known; what is not leaves an earlier chunk's word. */
export function note<Key extends keyof ResultDetails>(
  details: ResultDetails,
  key: Key,
  value: ResultDetails[Key] | undefined,
): void {
  if (value !== undefined && value !== '') details[key] = value;
}
