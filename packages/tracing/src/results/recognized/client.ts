import { isObject, read } from '../../guards/untrusted-values.ts';

/** What was read from a result or its chunks. Fields that the result does not contain are absent. */
export interface ResultDetails {
  /** Length of the output text, in UTF-16 code units. */
  outputChars?: number;
  /** The output text; present only with content capture. */
  outputText?: string;
  /** Number of chunks that the program received. */
  chunks?: number;
  provider?: string;
  /** Model of the response. */
  model?: string;
  inputTokens?: number;
  outputTokens?: number;
  /** Duration of the transcribed audio. */
  audioSeconds?: number;
  /** Why the model stopped, as the provider names it, such as `stop` or `max_tokens`. */
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
 * The content of a chunk or a whole result of a known client: output text (empty if there is none), other output, a
 * requested abort, or a failure that is reported without being thrown.
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
   * Reads one chunk of a stream into `details`; undefined if the chunk is not this client's. `isKnown`: an earlier
   * chunk of the stream was this client's, so that this one need not be distinctive.
   */
  readChunk(chunk: object, details: ResultDetails, isKnown: boolean): Meaning | undefined;
  /** Reads a whole result into `details`; undefined if it is not this client's. */
  readWhole(value: object, details: ResultDetails): Meaning | undefined;
}

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
 * Returns `usage` the first time that it is passed, then undefined. If a step returns the result of a nested step, the
 * tokens are counted on the nested step only.
 */
export function countedOnce(usage: object | undefined): object | undefined {
  if (usage === undefined || countedUsages.has(usage)) return undefined;
  countedUsages.add(usage);
  return usage;
}

/** Sets `details[key]`, unless `value` is missing; then the value of an earlier chunk remains. */
export function setDetail<Key extends keyof ResultDetails>(
  details: ResultDetails,
  key: Key,
  value: ResultDetails[Key] | undefined,
): void {
  if (value !== undefined && value !== '') details[key] = value;
}
