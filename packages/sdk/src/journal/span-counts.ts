/** What became of the spans of this process, and of those that it took over from dead ones. */
export class SpanCounts {
  finishedSpans = 0;
  inheritedSpans = 0;
  deliveredSpans = 0;
  tornRecords = 0;
  readonly droppedSpans: Record<string, number> = {};
  readonly #onDrop: (spans: number, reason: string) => void;

  /** `onDrop` hears of each loss when it is counted. */
  constructor(onDrop: (spans: number, reason: string) => void = () => {}) {
    this.#onDrop = onDrop;
  }

  finished(): void {
    this.finishedSpans += 1;
  }

  inherited(spans: number): void {
    this.inheritedSpans += spans;
  }

  delivered(spans: number): void {
    this.deliveredSpans += spans;
  }

  dropped(spans: number, reason: string): void {
    if (spans === 0) return;
    this.droppedSpans[reason] = (this.droppedSpans[reason] ?? 0) + spans;
    this.#onDrop(spans, reason);
  }

  get allDroppedSpans(): number {
    return Object.values(this.droppedSpans).reduce((sum, each) => sum + each, 0);
  }
}
