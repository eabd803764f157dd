/** What the text of an answer needs to know beyond the answer itself. */
export interface TextContext {
  /** The window in words, such as `last 24 hours`, or `<from>..<to>`. */
  windowText: string;
  /** The limit asked for; absent where the command has none. */
  limit?: number;
  /** The threshold asked for, in milliseconds; absent where the command has none. */
  thresholdMs?: number;
  /** Whether findings and the arrows that belong to them are shown. */
  showFindings: boolean;
  /** Whether marks and arrows are coloured; colour never carries a meaning of its own. */
  color: boolean;
}
