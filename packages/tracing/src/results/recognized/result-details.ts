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
