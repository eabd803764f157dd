/** What an answer rests on. */
export interface Coverage {
  /** Conversations found among the spans read. */
  conversations: number;
  /** Spans read, copies once, also those that are no step. */
  spans: number;
  /** False whenever something was left unread; then `warnings` has the reason. */
  complete: boolean;
  warnings: string[];
}

/** The data of an answer, and what it rests on. */
export interface Answer<Data> {
  data: Data;
  coverage: Coverage;
}

/** `coverage` with one more warning. */
export function withWarning(coverage: Coverage, warning: string): Coverage {
  return { ...coverage, warnings: [...coverage.warnings, warning] };
}
