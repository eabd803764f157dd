import { anthropic } from './anthropic.ts';
import { NOTHING } from './client.ts';
import type { Client, Meaning, RecognizeOptions, ResultDetails } from './client.ts';
import { openai } from './openai.ts';
import { vercelAi } from './vercel-ai.ts';

const CLIENTS: readonly { name: keyof RecognizeOptions; client: Client }[] = [
  { name: 'openai', client: openai },
  { name: 'anthropic', client: anthropic },
  { name: 'ai', client: vercelAi },
];
const ALL: readonly Client[] = CLIENTS.map(({ client }) => client);

/** The option `recognize` of a step. */
type Recognize = boolean | RecognizeOptions | undefined;

export function recognizes(recognize: Recognize, name: keyof RecognizeOptions): boolean {
  return typeof recognize === 'object' && recognize !== null ? recognize[name] !== false : recognize !== false;
}

function clientsOf(recognize: Recognize): readonly Client[] {
  if (recognize === undefined || recognize === true) return ALL;
  return CLIENTS.filter(({ name }) => recognizes(recognize, name)).map(({ client }) => client);
}

/** Reads a whole result of a known client into `details`; undefined if it is not one. */
export function readWhole(value: object, recognize: Recognize, details: ResultDetails): Meaning | undefined {
  for (const client of clientsOf(recognize)) {
    const meaning = client.readWhole(value, details);
    if (meaning !== undefined) return meaning;
  }
  return undefined;
}

/** A stream whose first chunks no client recognizes is not checked any further. */
const MAX_CHUNKS_TO_RECOGNIZE = 3;

/** Reads the chunks of one stream. The client that recognizes a chunk first reads all others. */
export class ChunkReader {
  /** A failure that the stream reported without throwing. */
  failure: { error: unknown } | undefined;
  /** Whether the stream reported that it was aborted on request. */
  wasAborted = false;

  #candidates: readonly Client[];
  /** The client that recognized a chunk. */
  #client: Client | undefined;
  #unrecognized = 0;

  constructor(recognize: Recognize) {
    this.#candidates = clientsOf(recognize);
  }

  /**
   * The output text in `chunk`: empty if it contains no output, such as the start of a message; undefined if its output
   * is not text, or the chunk is not recognized.
   */
  read(chunk: unknown, details: ResultDetails): string | undefined {
    if (typeof chunk !== 'object' || chunk === null) return undefined;
    if (this.#client !== undefined) return this.#outputOf(this.#client.readChunk(chunk, details, true) ?? NOTHING);
    for (const client of this.#candidates) {
      const meaning = client.readChunk(chunk, details, false);
      if (meaning === undefined) continue;
      this.#client = client;
      return this.#outputOf(meaning);
    }
    this.#unrecognized += 1;
    if (this.#unrecognized === MAX_CHUNKS_TO_RECOGNIZE) this.#candidates = [];
    return undefined;
  }

  #outputOf(meaning: Meaning): string | undefined {
    switch (meaning.kind) {
      case 'text':
        return meaning.text;
      case 'output':
        return undefined;
      case 'aborted':
        this.wasAborted = true;
        return '';
      case 'failed':
        this.failure ??= { error: meaning.error };
        return '';
    }
  }
}
