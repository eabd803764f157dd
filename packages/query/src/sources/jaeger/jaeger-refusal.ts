/** Jaeger understood the request and did not answer it: an error message in its own JSON. */
export class JaegerRefusal extends Error {
  override readonly name = 'JaegerRefusal';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }

  /**
   * Whether it is about how many traces were asked for. The memory storage says "search depth must be greater than 0
   * and less than max traces", Elasticsearch names its result window or its buckets.
   */
  get isAboutDepth(): boolean {
    return /depth|max.?traces|num.?traces|result window|buckets/i.test(this.message);
  }
}

/** The answer is longer than may be kept in memory at once. */
export class AnswerTooLarge extends Error {
  override readonly name = 'AnswerTooLarge';
}
